/** Jobs over HTTP: asking for them by type, their lists and logs, and their second chance. With a real worker beside the api. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import { call, createTenant, type RunningApi, startApi, type Tenant } from './support/api-fixture';

const PRODUCTS = { resource: 'products', format: 'csv' };
const EXPORT = { type: 'bulk.export', payload: PRODUCTS };
/** Long enough that it does not run while a spec looks at it. */
const LATER = { ...EXPORT, delay_seconds: 3_600 };

describe('Jobs over HTTP', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: NestFastifyApplication;
  let tenant: Tenant;

  const create = (body: unknown, key?: string) =>
    tenant.call(api, 'POST', '/v1/jobs', { body, ...(key !== undefined && { key }) });
  const get = async (path: string) => (await tenant.call(api, 'GET', `/v1/jobs${path}`)).body;
  const messages = async (id: string) =>
    ((await get(`/${id}/log`)).data as { message: string }[]).map(({ message }) => message);
  const reached = (id: string, state: string) =>
    waitFor(
      async () => {
        const job = await get(`/${id}`);
        return job.state === state ? job : undefined;
      },
      { what: `the job to be ${state}` },
    );

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50' });
    api = await startApi(env);
    worker = await createWorker(env.config);
    tenant = await createTenant(api, env);
  });
  afterAll(async () => {
    await worker.close();
    await api.stop();
    await env.dispose();
  });

  it('creates a job by type, runs it, and tells how it went', async () => {
    const made = await create({ ...EXPORT, priority: 2, attempts: 7 });
    expect(made.status).toBe(202);
    expect(made.body).toMatchObject({
      ...{ type: 'bulk.export', class: 'high', state: 'queued', priority: 2, max_attempts: 7 },
      ...{ run_at: null, dedupe_key: null, attempts: 0, log_lines: 0 },
    });
    const done = await reached(made.body.id, 'completed');
    expect(done).toMatchObject({ priority: 2, max_attempts: 7, log_lines: 2 });
    expect(await messages(made.body.id)).toEqual(['Attempt 1 has started.', 'Completed.']);
    expect((await tenant.call(api, 'GET', `/v1/jobs/${made.body.id}/file`)).status).toBe(200);
  });

  it.each([
    ['an unknown type', { ...EXPORT, type: 'bulk.exports' }, 422, 'unknown_job_type', 'type'],
    ['a type that is not for clients', { ...EXPORT, type: 'bulk.import' }, 422, 'job_type_not_creatable', 'type'],
    ['a type named like a part of an object', { ...EXPORT, type: 'constructor' }, 422, 'unknown_job_type', 'type'],
    [
      'a payload with a wrong value',
      { ...EXPORT, payload: { ...PRODUCTS, resource: 'users' } },
      400,
      'invalid_value',
      'payload.resource',
    ],
    [
      'a payload that lacks a field',
      { ...EXPORT, payload: { resource: 'orders' } },
      400,
      'missing_field',
      'payload.format',
    ],
    [
      'a payload with a field too many',
      { ...EXPORT, payload: { ...PRODUCTS, to: 'me@example.com' } },
      400,
      'unknown_field',
      'payload.to',
    ],
    ['no payload', { type: 'bulk.export' }, 400, 'missing_field', 'payload'],
    ['a payload that is none', { ...EXPORT, payload: 'all' }, 400, 'invalid_value', 'payload'],
    ['a priority out of range', { ...EXPORT, priority: 11 }, 400, 'invalid_value', 'priority'],
    ['two start times', { ...LATER, run_at: '2030-01-01T00:00:00Z' }, 400, 'invalid_value', 'run_at'],
    ['a start time decades ahead', { ...EXPORT, run_at: '2999-01-01T00:00:00Z' }, 400, 'invalid_value', 'run_at'],
    ['an empty dedupe_key', { ...EXPORT, dedupe_key: '' }, 400, 'invalid_value', 'dedupe_key'],
    ['a field of the platform', { ...EXPORT, class: 'critical' }, 400, 'unknown_field', 'class'],
  ])('refuses %s and names it', async (_, body, status, code, param) => {
    const answer = await create(body);
    expect([answer.status, answer.body.code, answer.body.param]).toEqual([status, code, param]);
  });

  it('documents the types that clients may create, and their payloads', async () => {
    const { body } = await call(api, 'GET', '/docs/json');
    const { properties } = body.paths['/v1/jobs'].post.requestBody.content['application/json'].schema;
    expect(properties.type.enum).toContain('bulk.export');
    expect(properties.type.enum).not.toContain('bulk.import');
    const payloads = properties.payload.anyOf as { title: string }[];
    expect(payloads.map(({ title }) => title)).toEqual(properties.type.enum);
    const exported = payloads.find(({ title }) => title === 'bulk.export');
    expect(exported).toMatchObject({ required: ['resource', 'format'] });
    const events = body.paths['/v1/jobs/{id}/events'].get.responses['200'];
    expect(Object.keys(events.content as object)).toEqual(['text/event-stream']);
  });

  it('wants the permission to write jobs', async () => {
    const made = await call(api, 'POST', `/v1/admin/organizations/${tenant.id}/api_keys`, {
      headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
      body: { name: 'viewer', role: 'viewer' },
    });
    const headers = { authorization: `Bearer ${made.body.key as string}` };
    const refused = await call(api, 'POST', '/v1/jobs', { headers, body: EXPORT });
    expect([refused.status, refused.body.code]).toEqual([403, 'permission_denied']);
    const retry = await call(api, 'POST', `/v1/jobs/${newId()}/retry`, { headers });
    expect([retry.status, retry.body.code]).toEqual([403, 'permission_denied']);
  });

  it('waits for its time, and may be given one', async () => {
    const { body } = await create(LATER);
    expect(new Date(body.run_at).getTime() - new Date(body.created_at).getTime()).toBeGreaterThan(3_590_000);
    const runAt = new Date(Date.now() + 1_500).toISOString();
    const soon = await create({ ...EXPORT, run_at: runAt });
    expect(soon.body.run_at).toBe(runAt);
    const done = await reached(soon.body.id, 'completed');
    expect(done.started_at >= runAt).toBe(true);
    expect((await get(`/${body.id}`)).state).toBe('queued');
  });

  it('answers a repetition under the same Idempotency-Key with the first answer, and makes one job of many', async () => {
    const key = newId();
    const answers = await Promise.all(Array.from({ length: 6 }, () => create(LATER, key)));
    expect(answers.map(({ status }) => status).filter((status) => status !== 202 && status !== 409)).toEqual([]);
    const accepted = answers.filter(({ status }) => status === 202);
    expect(new Set(accepted.map(({ body }) => body.id as string)).size).toBe(1);
    const repeated = await create(LATER, key);
    expect([repeated.status, repeated.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    expect(repeated.body).toEqual(accepted[0]!.body);
    const other = await create(EXPORT, key);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('answers the open job of a dedupe_key with 200, with and without an Idempotency-Key', async () => {
    const body = { ...LATER, dedupe_key: `k-${newId()}` };
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => create(body, index % 2 ? newId() : undefined)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 202]);
    const ids = new Set(answers.map((answer) => answer.body.id as string));
    expect(ids.size).toBe(1);
    const key = newId();
    const [first, second] = [await create(body, key), await create(body, key)];
    expect([first.status, second.status, second.headers.get('idempotent-replayed')]).toEqual([200, 200, 'true']);
    await tenant.call(api, 'POST', `/v1/jobs/${[...ids][0]!}/cancel`);
    const next = await create(body);
    expect([next.status, ids.has(next.body.id as string)]).toEqual([202, false]);
  });

  it('lists by class and by the time of creation', async () => {
    const { body: first } = await create(LATER);
    const { body: second } = await create(LATER);
    const ids = async (query: string) => ((await get(query)).data as { id: string }[]).map(({ id }) => id);
    expect(await ids(`?created_after=${first.created_at}&class=high&limit=100`)).toEqual([second.id]);
    const before = await ids(`?created_before=${second.created_at}&limit=100`);
    expect([before.includes(first.id as string), before.includes(second.id as string)]).toEqual([true, false]);
    expect(await ids('?class=low')).toEqual([]);
    const wrong = await tenant.call(api, 'GET', '/v1/jobs?created_after=yesterday');
    expect([wrong.status, wrong.body.param]).toEqual([400, 'created_after']);
  });

  it('pages through a log, and refuses a cursor of another list', async () => {
    const { body } = await create(LATER);
    await tenant.call(api, 'POST', `/v1/jobs/${body.id}/cancel`);
    await env.query(
      `insert into job_log (organization_id, job_id, line, level, message)
       select $1, $2, n, 'info', 'Line ' || n from generate_series(2, 5) n`,
      [tenant.id, body.id],
    );
    const first = await get(`/${body.id}/log?limit=3`);
    expect(first).toMatchObject({ has_more: true, data: [{ line: 1, level: 'warn', message: 'Cancelled.' }, {}, {}] });
    const rest = await get(`/${body.id}/log?cursor=${first.next_cursor}`);
    expect(rest).toMatchObject({ has_more: false, data: [{ line: 4 }, { line: 5, message: 'Line 5' }] });
    const wrong = await tenant.call(
      api,
      'GET',
      `/v1/jobs/${body.id}/log?cursor=${(await get('?limit=1')).next_cursor}`,
    );
    expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid_cursor']);
  });

  it('runs a cancelled job after all, once for any number of retries at the same time', async () => {
    const { body } = await create(LATER);
    await tenant.call(api, 'POST', `/v1/jobs/${body.id}/cancel`);
    const retry = () => tenant.call(api, 'POST', `/v1/jobs/${body.id}/retry`);
    const answers = await Promise.all(Array.from({ length: 5 }, retry));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)!.body.code).toBe('job_not_retryable');
    expect(answers.find(({ status }) => status === 202)!.body).toMatchObject({ state: 'queued', run_at: null });
    expect(await reached(body.id, 'completed')).toMatchObject({ attempts: 1 });
    expect(await messages(body.id)).toEqual(['Cancelled.', 'Queued again.', 'Attempt 1 has started.', 'Completed.']);
    const [again, late] = [await retry(), await tenant.call(api, 'POST', `/v1/jobs/${newId()}/retry`)];
    expect([again.status, again.body.code, again.body.state]).toEqual([409, 'job_not_retryable', 'completed']);
    expect([late.status, late.body.code]).toEqual([404, 'not_found']);
  });

  it('retries no job whose key another one has taken', async () => {
    const body = { ...LATER, dedupe_key: `k-${newId()}` };
    const { body: first } = await create(body);
    await tenant.call(api, 'POST', `/v1/jobs/${first.id}/cancel`);
    expect((await create(body)).status).toBe(202);
    const retry = await tenant.call(api, 'POST', `/v1/jobs/${first.id}/retry`);
    expect([retry.status, retry.body.code]).toEqual([409, 'job_key_in_use']);
    expect((await get(`/${first.id}`)).state).toBe('cancelled');
  });

  it('refuses jobs beyond max_waiting_jobs with a time to come back, retries too', async () => {
    const narrow = await createTenant(api, env, 'enterprise', { max_waiting_jobs: 1 });
    const make = () => narrow.call(api, 'POST', '/v1/jobs', { body: LATER });
    const { body } = await make();
    await narrow.call(api, 'POST', `/v1/jobs/${body.id}/cancel`);
    expect((await make()).status).toBe(202);
    for (const refused of [await make(), await narrow.call(api, 'POST', `/v1/jobs/${body.id}/retry`)]) {
      expect([refused.status, refused.body.code]).toEqual([429, 'queue_full']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  it('shows, retries and cancels nothing of another organization', async () => {
    const { body } = await create(LATER);
    const other = await createTenant(api, env);
    for (const [method, path] of [
      ['GET', '/log'],
      ['POST', '/retry'],
      ['POST', '/cancel'],
    ] as const) {
      const foreign = await other.call(api, method, `/v1/jobs/${body.id}${path}`);
      const unknown = await other.call(api, method, `/v1/jobs/${newId()}${path}`);
      expect(foreign.status).toBe(404);
      expect({ ...foreign.body, request_id: '' }).toEqual({ ...unknown.body, request_id: '' });
    }
  });
});
