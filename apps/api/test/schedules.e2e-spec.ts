/** Schedules over HTTP, with a real worker beside the api. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import { call, createTenant, type RunningApi, startApi, type Tenant } from './support/api-fixture';

const NIGHTLY = {
  cron: '30 2 * * *',
  time_zone: 'Europe/Berlin',
  job_type: 'bulk.export',
  payload: { resource: 'products', format: 'csv' },
};

describe('Schedules', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: NestFastifyApplication;
  let tenant: Tenant;
  let other: Tenant;

  const create = (values: object = {}) =>
    tenant.call(api, 'POST', '/v1/schedules', { body: { name: newId(), ...NIGHTLY, ...values } });
  const to = (method: string, id: string, options = {}) => tenant.call(api, method, `/v1/schedules/${id}`, options);

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50' });
    api = await startApi(env);
    worker = await createWorker(env.config);
    [tenant, other] = [await createTenant(api, env), await createTenant(api, env)];
  });
  afterAll(async () => {
    await worker.close();
    await api.stop();
    await env.dispose();
  });

  it('are made, and show their next runs in UTC and on the clocks of their time zone', async () => {
    const made = await create({ name: 'nightly', cron: ' 30  2 * * mon-fri ' });
    expect(made.status).toBe(201);
    expect(made.headers.get('etag')).toBe('"1"');
    expect(made.body).toMatchObject({
      ...{ ...NIGHTLY, name: 'nightly', cron: '30 2 * * MON-FRI', state: 'active', paused_reason: null, version: 1 },
      ...{ last_run_at: null, last_job_id: null, last_skipped_at: null, last_skip_reason: null },
    });
    expect(made.body.next_runs).toHaveLength(5);
    for (const { at, local } of made.body.next_runs) {
      expect(new Date(local).getTime()).toBe(new Date(at).getTime());
      expect(local).toMatch(/T0[23]:[03]0:00\+0[12]:00$/);
    }
    const shown = await to('GET', made.body.id);
    expect(shown.body).toEqual(made.body);
    const utc = await create({ time_zone: undefined });
    expect(utc.body.time_zone).toBe('UTC');
  });

  it.each([
    [{ cron: 'nonsense' }, 400, 'invalid_cron', 'cron', /five fields/],
    [{ cron: '61 * * * *' }, 400, 'invalid_cron', 'cron', /minute "61".*0 to 59/],
    [{ cron: '0 0 31 2 *' }, 400, 'invalid_cron', 'cron', /never fires.*29 or less/],
    [{ cron: '*/5 * * * * *' }, 400, 'invalid_cron', 'cron', /Seconds/],
    [{ cron: 5 }, 400, 'invalid_value', 'cron', /string/],
    [{ cron: undefined }, 400, 'missing_field', 'cron', /required/],
    [{ time_zone: 'Mars/Phobos' }, 400, 'invalid_time_zone', 'time_zone', /Europe\/Berlin/],
    [{ time_zone: '+02:00' }, 400, 'invalid_time_zone', 'time_zone', /IANA/],
    [{ job_type: 'bulk.import' }, 422, 'job_type_not_schedulable', 'job_type', /choose one of .*bulk\.export/],
    [{ job_type: 'constructor' }, 422, 'job_type_not_schedulable', 'job_type', /bulk\.export/],
    [
      { payload: { resource: 'secrets', format: 'csv' } },
      400,
      'invalid_value',
      'payload.resource',
      /payload\.resource/,
    ],
    [{ payload: { resource: 'products' } }, 400, 'missing_field', 'payload.format', /payload\.format is required/],
    [{ payload: { ...NIGHTLY.payload, x: 1 } }, 400, 'unknown_field', 'payload.x', /payload\.x/],
    [{ payload: 'csv' }, 400, 'invalid_value', 'payload', /payload/],
    [{ next_run_at: '2027-01-01T00:00:00Z' }, 400, 'unknown_field', 'next_run_at', /remove it/],
    [{ name: '' }, 400, 'invalid_value', 'name', /name/],
  ])('are refused with %j', async (values, status, code, param, message) => {
    const { status: answered, body } = await create(values);
    expect([answered, body.code, body.param]).toEqual([status, code, param]);
    expect(body.detail).toMatch(message);
  });

  it('have a name of their own', async () => {
    const [first, second] = [await create({ name: 'one' }), await create({ name: 'two' })];
    expect((await create({ name: 'one' })).body).toMatchObject({ status: 409, code: 'schedule_name_taken' });
    const renamed = await to('PATCH', second.body.id, { body: { name: 'one' } });
    expect(renamed.body).toMatchObject({ status: 409, code: 'schedule_name_taken', param: 'name' });
    const elsewhere = await other.call(api, 'POST', '/v1/schedules', { body: { ...NIGHTLY, name: 'one' } });
    expect(elsewhere.status).toBe(201);
    expect(first.status).toBe(201);
  });

  it('are changed from the version that was read', async () => {
    const { body: made } = await create();
    const changed = await to('PATCH', made.id, {
      headers: { 'if-match': '"1"' },
      body: { cron: '0 0 1 1 *', time_zone: 'UTC', payload: { resource: 'orders', format: 'ndjson' } },
    });
    expect(changed.body).toMatchObject({ cron: '0 0 1 1 *', version: 2, payload: { resource: 'orders' } });
    expect(changed.headers.get('etag')).toBe('"2"');
    expect(changed.body.next_runs[0].at).toMatch(/-01-01T00:00:00\.000Z$/);
    const renamed = await to('PATCH', made.id, { body: { name: newId() } });
    expect(renamed.body).toMatchObject({ version: 3, next_runs: changed.body.next_runs });
    for (const [method, path] of [
      ['PATCH', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['DELETE', ''],
    ] as const) {
      const body = method === 'PATCH' ? { body: { name: 'late' } } : {};
      const late = await to(method, `${made.id}${path}`, { headers: { 'if-match': '"1"' }, ...body });
      expect([late.status, late.body.code, late.body.current]).toEqual([412, 'version_mismatch', 3]);
    }
    expect((await to('PATCH', made.id, { body: { cron: 'x' } })).body.code).toBe('invalid_cron');
    expect((await to('PATCH', made.id, { body: { payload: {} } })).body.param).toBe('payload.resource');
    expect((await to('PATCH', made.id, { body: { job_type: 'bulk.import' } })).body.code).toBe('unknown_field');
  });

  it('change once where many change the same version', async () => {
    const { body: made } = await create();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        to('PATCH', made.id, { headers: { 'if-match': '"1"' }, body: { name: newId() } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412, 412, 412, 412]);
    const entries = await env.query("select from audit_log where target_id = $1 and action = 'schedule.updated'", [
      made.id,
    ]);
    expect(entries).toHaveLength(1);
  });

  it('are paused, resumed and deleted', async () => {
    const { body: made } = await create();
    const paused = await to('POST', `${made.id}/pause`);
    expect(paused.body).toMatchObject({ state: 'paused', next_runs: [], paused_reason: null, version: 2 });
    expect((await to('POST', `${made.id}/pause`)).body.version).toBe(2);
    const listed = await tenant.call(api, 'GET', '/v1/schedules?state=paused');
    expect(listed.body.data.map(({ id }: { id: string }) => id)).toEqual([made.id]);
    const resumed = await to('POST', `${made.id}/resume`);
    expect(resumed.body).toMatchObject({ state: 'active', version: 3, next_runs: made.next_runs });
    expect((await to('DELETE', made.id)).status).toBe(204);
    expect((await to('GET', made.id)).status).toBe(404);
    const trail = await env.query<{ action: string }>('select action from audit_log where target_id = $1 order by id', [
      made.id,
    ]);
    expect(trail.map(({ action }) => action)).toEqual(
      ['created', 'paused', 'resumed', 'deleted'].map((verb) => `schedule.${verb}`),
    );
  });

  it('are listed page by page, newest first', async () => {
    const ids = [(await create()).body.id, (await create()).body.id, (await create()).body.id];
    const first = await tenant.call(api, 'GET', '/v1/schedules?limit=2');
    expect(first.body).toMatchObject({ has_more: true, data: [{ id: ids[2] }, { id: ids[1] }] });
    const next = await tenant.call(api, 'GET', `/v1/schedules?limit=2&cursor=${first.body.next_cursor}`);
    expect(next.body.data[0].id).toBe(ids[0]);
  });

  it('of another organization are unknown ones', async () => {
    const { body: made } = await create();
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'mine' }],
      ['POST', '/pause', undefined],
      ['POST', '/resume', undefined],
      ['DELETE', '', undefined],
    ] as const) {
      const options = body ? { body } : {};
      const foreign = await other.call(api, method, `/v1/schedules/${made.id}${path}`, options);
      const unknown = await other.call(api, method, `/v1/schedules/${newId()}${path}`, options);
      expect([foreign.status, foreign.body.code]).toEqual([404, 'not_found']);
      const same = ({ request_id: _request, instance: _instance, ...rest }: Record<string, unknown>) => rest;
      expect(same(foreign.body)).toEqual(same(unknown.body));
    }
    const listed = await other.call(api, 'GET', '/v1/schedules?limit=100');
    expect(listed.body.data.map(({ id }: { id: string }) => id)).not.toContain(made.id);
  });

  it('are for those who may write jobs', async () => {
    const made = await tenant.call(api, 'POST', '/v1/api_keys', { body: { name: 'reader', role: 'viewer' } });
    const headers = { authorization: `Bearer ${made.body.key}` };
    const refused = await call(api, 'POST', '/v1/schedules', { headers, body: { name: 'x', ...NIGHTLY } });
    expect(refused.status).toBe(403);
    expect((await call(api, 'GET', '/v1/schedules', { headers })).status).toBe(200);
    expect((await call(api, 'GET', '/v1/schedules')).status).toBe(401);
  });

  it('are at most as many as the organization may have, also when they are made at once', async () => {
    const small = await createTenant(api, env, 'enterprise', { max_schedules: 3 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        small.call(api, 'POST', '/v1/schedules', { body: { name: newId(), ...NIGHTLY } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 403, 403, 403, 403, 403]);
    const refused = answers.find(({ status }) => status === 403)!;
    expect(refused.body).toMatchObject({ code: 'limit_exceeded', limit: 'max_schedules', maximum: 3 });
    expect(refused.body.detail).toMatch(/max_schedules of 3 would be exceeded; free some/);
  });

  it('run: the job is made, done, and shown', async () => {
    const { body: made } = await create({ cron: '* * * * *' });
    await env.query('update schedules set next_run_at = now() where id = $1', [made.id]);
    const ran = await waitFor(
      async () => {
        const { body } = await to('GET', made.id);
        return body.last_job_id ? body : undefined;
      },
      { what: 'the schedule to run' },
    );
    const job = await waitFor(
      async () => {
        const { body } = await tenant.call(api, 'GET', `/v1/jobs/${ran.last_job_id}`);
        return body.finished_at ? body : undefined;
      },
      { what: 'the job to finish' },
    );
    expect(job).toMatchObject({ type: 'bulk.export', state: 'completed', result: { resource: 'products' } });
    expect(ran).toMatchObject({ state: 'active', version: 1 });
    expect(new Date(ran.next_runs[0].at).getTime()).toBeGreaterThan(new Date(ran.last_run_at).getTime());
  });

  it('are described by the OpenAPI document', async () => {
    const { body } = await call(api, 'GET', '/docs/json');
    expect(Object.keys(body.paths).filter((path) => path.startsWith('/v1/schedules'))).toEqual([
      '/v1/schedules',
      '/v1/schedules/{id}',
      '/v1/schedules/{id}/pause',
      '/v1/schedules/{id}/resume',
    ]);
  });
});
