/** Dead letters over HTTP, by tenants and operators, with a real worker beside two apis. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import { call, createTenant, type RunningApi, startApi, startApiProcess, type Tenant } from './support/api-fixture';

interface Letter {
  readonly id: string;
  readonly job_id: string;
  readonly type: string;
}

const UNKNOWN = 'nobody.handles';

describe('Dead letters', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let other: RunningApi;
  let worker: NestFastifyApplication;
  let tenant: Tenant;

  const asOperator = (method: string, path: string, body?: unknown) =>
    call(api, method, `/v1/admin${path}`, { headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` }, body });
  const letters = async (query = ''): Promise<Letter[]> =>
    (await tenant.call(api, 'GET', `/v1/dead_letters${query}`)).body.data;
  const letterOf = (jobId: string) =>
    waitFor(async () => (await letters()).find(({ job_id }) => job_id === jobId), { what: 'the dead letter' });
  const job = async (id: string) => (await tenant.call(api, 'GET', `/v1/jobs/${id}`)).body;
  /** What the audit log says was done to a letter; somebody else's entry may take a moment to a replica. */
  const actions = async (id: string) => {
    const look = async () => {
      const { body } = await tenant.call(api, 'GET', '/v1/audit_log?limit=100');
      const entries = body.data as { target: { id: string }; action: string; actor: { type: string } }[];
      const own = entries.filter(({ target }) => target.id === id);
      return own.length > 0 && own;
    };
    const own = await waitFor(look, { what: 'the audit log' });
    return own.map(({ action, actor }) => `${action} by ${actor.type}`);
  };

  /** A job of a type that no release knows, as an older one might have left it. */
  const unknown = async (type = UNKNOWN): Promise<Letter> => {
    const id = newId();
    await env.query(
      `with job as (insert into jobs (organization_id, id, type, class, payload, actor_type)
         values ($1, $2, $3, 'low', '{"version": 1, "data": {"a": 1}}', 'system') returning organization_id, id, type)
       insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
       select organization_id, id, 'job.queued', 'job', id,
         jsonb_build_object('job_id', id, 'organization_id', organization_id, 'type', type, 'version', 1) from job`,
      [tenant.id, id, type],
    );
    return letterOf(id);
  };

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50' });
    [api, other] = await Promise.all([startApi(env), startApiProcess(env)]);
    worker = await createWorker(env.config);
    tenant = await createTenant(api, env);
  });
  afterAll(async () => {
    await worker.close();
    await Promise.all([api.stop(), other.stop()]);
    await env.dispose();
  });

  it('lists them page by page, by type, and shows one', async () => {
    const made = [await unknown(), await unknown('nobody.else'), await unknown()];
    const first = await tenant.call(api, 'GET', '/v1/dead_letters?limit=2');
    expect(first.body).toMatchObject({ data: [{ id: made[2]!.id }, { id: made[1]!.id }], has_more: true });
    const rest = await tenant.call(api, 'GET', `/v1/dead_letters?limit=2&cursor=${first.body.next_cursor}`);
    expect(rest.body).toMatchObject({ data: [{ id: made[0]!.id }], has_more: false, next_cursor: null });
    expect((await letters('?type=nobody.else')).map(({ id }) => id)).toEqual([made[1]!.id]);
    expect((await tenant.call(api, 'GET', `/v1/dead_letters/${made[1]!.id}`)).body).toEqual({
      id: made[1]!.id,
      job_id: made[1]!.job_id,
      type: 'nobody.else',
      class: 'low',
      payload: { version: 1, data: { a: 1 } },
      error: { code: 'unknown_job_type', message: expect.stringContaining('nobody.else') },
      attempts: 0,
      failed_at: expect.any(String),
    });
    expect((await tenant.call(api, 'GET', '/v1/dead_letters?cursor=nonsense')).body.code).toBe('invalid_cursor');
  });

  it('replays a job once when two processes are asked at once, and the job runs again', async () => {
    const { body: made } = await tenant.call(api, 'POST', '/v1/exports', {
      key: newId(),
      body: { resource: 'products', format: 'csv' },
    });
    await waitFor(async () => (await job(made.id)).state === 'completed', { what: 'the export' });
    const letterId = newId();
    await env.query(
      `with job as (update jobs set state = 'failed', result = null, error = '{"code": "c", "message": "m"}'
         where id = $1 returning *)
       insert into dead_letters (organization_id, id, job_id, type, class, payload, error, attempts, failed_at)
       select organization_id, $2, id, type, class, payload, error, 3, now() from job`,
      [made.id, letterId],
    );
    const path = `/v1/dead_letters/${letterId}/replay`;
    const answers = await Promise.all(
      [api, other].flatMap((to) => Array.from({ length: 8 }, () => tenant.call(to, 'POST', path))),
    );
    const accepted = answers.filter(({ status }) => status === 202);
    expect(accepted).toHaveLength(1);
    expect(accepted[0]!.body).toMatchObject({ id: made.id, state: 'queued', error: null });
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202, 404]));
    await waitFor(async () => (await job(made.id)).state === 'completed', { what: 'the export, again' });
    expect(await job(made.id)).toMatchObject({ attempts: 1, error: null });
    expect(await actions(letterId)).toEqual(['dead_letter.replayed by api_key']);
    const sent = await env.query('select from outbox where aggregate_id = $1', [made.id]);
    expect(sent).toHaveLength(2);
  });

  it('replays all of a type, within bounds', async () => {
    const made = [await unknown('nobody.three'), await unknown('nobody.three'), await unknown('nobody.three')];
    const replay = (body: object) => tenant.call(api, 'POST', '/v1/dead_letters/replay', { body });
    const first = await replay({ type: 'nobody.three', limit: 2 });
    expect(first).toMatchObject({ status: 202, body: { replayed: 2, refused: [], has_more: true } });
    const rest = await replay({ type: 'nobody.three', limit: 2, cursor: first.body.next_cursor });
    expect(rest.body).toMatchObject({ replayed: 1, has_more: false }); // and not those that have failed again meanwhile
    for (const { job_id } of made) expect((await letterOf(job_id)).id).not.toBe(made[0]!.id);
    expect((await replay({ type: 'nobody.three', limit: 101 })).body.code).toBe('invalid_value');
    expect((await replay({})).body).toMatchObject({ code: 'missing_field', param: 'type' });
  });

  it('replays one with a retry of its job, and says so in the audit log in the same way', async () => {
    const { id, job_id } = await unknown();
    const retried = await tenant.call(api, 'POST', `/v1/jobs/${job_id}/retry`);
    expect([retried.status, retried.body]).toMatchObject([202, { id: job_id, state: 'queued', attempts: 0 }]);
    expect((await tenant.call(api, 'POST', `/v1/dead_letters/${id}/replay`)).status).toBe(404);
    expect((await letterOf(job_id)).id).not.toBe(id);
    expect(await actions(id)).toEqual(['dead_letter.replayed by api_key']);
  });

  it('discards one, and says so in the audit log', async () => {
    const { id, job_id } = await unknown();
    expect((await tenant.call(api, 'DELETE', `/v1/dead_letters/${id}`)).status).toBe(204);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/replay'],
    ] as const)
      expect((await tenant.call(api, method, `/v1/dead_letters/${id}${path}`)).status).toBe(404);
    expect(await job(job_id)).toMatchObject({ state: 'failed' });
    expect(await actions(id)).toEqual(['dead_letter.discarded by api_key']);
  });

  it('answers another tenant’s id as an unknown one, and lets nobody but workers’ keys replay', async () => {
    const { id } = await unknown();
    const stranger = await createTenant(api, env);
    for (const [method, tail] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/replay'],
    ] as const) {
      const [theirs, nobodys] = await Promise.all(
        [id, newId()].map((asked) => stranger.call(api, method, `/v1/dead_letters/${asked}${tail}`)),
      );
      expect(theirs!.status).toBe(404);
      expect({ ...theirs!.body, request_id: '' }).toEqual({ ...nobodys!.body, request_id: '' });
    }
    expect((await stranger.call(api, 'GET', '/v1/dead_letters')).body.data).toEqual([]);
    const key = await asOperator('POST', `/organizations/${tenant.id}/api_keys`, { name: 'looks', role: 'viewer' });
    const headers = { authorization: `Bearer ${key.body.key}` };
    expect((await call(api, 'GET', `/v1/dead_letters/${id}`, { headers })).status).toBe(200);
    expect((await call(api, 'POST', `/v1/dead_letters/${id}/replay`, { headers })).status).toBe(403);
    expect((await call(api, 'DELETE', `/v1/dead_letters/${id}`, { headers })).status).toBe(403);
  });

  it('shows operators whose letters lie where, and lets them replay and discard', async () => {
    const [one, two] = [await unknown('nobody.admin'), await unknown('nobody.admin')];
    const overview = await asOperator('GET', '/dead_letters');
    expect(overview.body.missing).toEqual([]);
    expect(overview.body.data).toContainEqual({
      shard: 'main',
      organization_id: tenant.id,
      type: 'nobody.admin',
      letters: 2,
      oldest_failed_at: expect.any(String),
    });
    expect((await asOperator('GET', '/dead_letters?limit=1')).body.data).toHaveLength(1);
    const path = `/organizations/${tenant.id}/dead_letters`;
    expect((await asOperator('GET', `${path}?type=nobody.admin`)).body.data).toMatchObject([
      { id: two.id },
      { id: one.id },
    ]);
    expect((await asOperator('GET', `${path}/${one.id}`)).body).toMatchObject({ id: one.id, job_id: one.job_id });
    expect(await asOperator('POST', `${path}/${one.id}/replay`)).toMatchObject({
      status: 202,
      body: { id: one.job_id, state: 'queued' },
    });
    expect((await asOperator('DELETE', `${path}/${two.id}`)).status).toBe(204);
    expect(await actions(one.id)).toEqual(['dead_letter.replayed by operator']);
    expect(await actions(two.id)).toEqual(['dead_letter.discarded by operator']);
    await letterOf(one.job_id); // it fails again
    const all = await asOperator('POST', `${path}/replay`, { type: 'nobody.admin' });
    expect(all).toMatchObject({ status: 202, body: { replayed: 1, has_more: false } });
    expect((await asOperator('GET', `/organizations/${newId()}/dead_letters`)).status).toBe(404);
    expect((await tenant.call(api, 'GET', '/v1/admin/dead_letters')).status).toBe(401);
  });
});
