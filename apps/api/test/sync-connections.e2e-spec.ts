/** Connections over HTTP, with a real worker beside the api and a reference of an outside system. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { createTestEnvironment, ReferenceFeed, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import { call, createTenant, type RunningApi, startApi, stockedProduct, type Tenant } from './support/api-fixture';

const ADDRESS = 'https://stock.example.com/feed?shop=1';
const TOKEN = 'the-very-secret-token';
const HEADERS = { 'X-Api-Key': 'the-very-secret-key' };

describe('Connections', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: NestFastifyApplication;
  let tenant: Tenant;
  let other: Tenant;
  const feed = new ReferenceFeed();

  const create = (values: object = {}) =>
    tenant.call(api, 'POST', '/v1/connections', { body: { name: newId(), url: ADDRESS, ...values } });
  const to = (method: string, id: string, options = {}) => tenant.call(api, method, `/v1/connections/${id}`, options);
  const ended = (id: string) =>
    waitFor(
      async () => {
        const { body } = await tenant.call(api, 'GET', `/v1/jobs/${id}`);
        return body.finished_at ? body : undefined;
      },
      { what: 'the sync to end', timeoutMs: 30_000 },
    );

  beforeAll(async () => {
    env = await createTestEnvironment({
      OUTBOX_POLL_MS: '50',
      OUTBOUND_HTTP: 'on',
      OUTBOUND_PRIVATE_ADDRESSES: '127.0.0.1',
      SYNC_TRY_MS: '300',
    });
    await feed.start();
    api = await startApi(env);
    worker = await createWorker(env.config);
    [tenant, other] = [await createTenant(api, env), await createTenant(api, env)];
  });
  afterAll(async () => {
    await worker.close();
    await api.stop();
    await feed.stop();
    await env.dispose();
  });
  beforeEach(() => {
    feed.interfere = () => undefined;
    feed.calls.length = 0;
    feed.rows.length = 0;
  });

  it('are made and shown, their secrets never', async () => {
    const made = await create({ name: 'shop', location: 'MAIN', bearer_token: TOKEN, headers: HEADERS });
    expect(made.status).toBe(201);
    expect(made.headers.get('etag')).toBe('"1"');
    expect(made.body).toEqual({
      ...{ id: expect.any(String), name: 'shop', url: ADDRESS, location: 'MAIN', state: 'active', cursor: null },
      ...{ has_bearer_token: true, header_names: ['X-Api-Key'] },
      breaker: { state: 'closed', failures: 0, retry_at: null },
      ...{ last_job_id: null, last_success_at: null, last_failure_at: null, last_failure: null },
      ...{ version: 1, created_at: expect.any(String), updated_at: expect.any(String) },
    });
    expect((await to('GET', made.body.id)).body).toEqual(made.body);
    const [row] = await env.query<{ credentials: string }>('select * from connections where id = $1', [made.body.id]);
    expect(row!.credentials).toMatch(/^1\.[0-9a-f]{16}\./);
    const rows = await env.query('select c::text as connection, a::text as entry from connections c, audit_log a');
    expect(JSON.stringify(rows)).not.toContain('very-secret');
    const [entry] = await env.query('select data from audit_log where target_id = $1', [made.body.id]);
    expect(entry).toEqual({ data: { name: 'shop', address: 'https://stock.example.com/feed', location: 'MAIN' } });
  });

  it.each([
    [{ url: 'not a url' }, 422, 'outbound_refused_url', 'url', /not a URL/],
    [{ url: 'ftp://stock.example.com' }, 422, 'outbound_refused_url', 'url', /https/],
    [{ url: 'https://me:secret@stock.example.com' }, 422, 'outbound_refused_url', 'url', /bearer token/],
    [{ url: 'http://169.254.169.254/latest' }, 422, 'outbound_refused_address', 'url', /not public/],
    [{ url: 'https://[::1]/' }, 422, 'outbound_refused_address', 'url', /not public/],
    [{ url: 'https://127.0.0.2/' }, 422, 'outbound_refused_address', 'url', /not public/],
    [{ url: undefined }, 400, 'missing_field', 'url', /required/],
    [{ name: '' }, 400, 'invalid_value', 'name', /name/],
    [{ location: 'NOWHERE' }, 422, 'unknown_location', 'location', /No active location/],
    [{ bearer_token: 'two words' }, 400, 'invalid_value', 'bearer_token', /bearer_token/],
    [{ bearer_token: 'a\r\nX: y' }, 400, 'invalid_value', 'bearer_token', /bearer_token/],
    [{ headers: { 'X-A': 'a\r\nX-B: b' } }, 400, 'invalid_value', 'headers.X-A', /X-A/],
    [{ headers: { 'X A': 'a' } }, 400, 'unknown_field', 'headers.X A', /headers/],
    [{ headers: { Host: 'inside' } }, 400, 'invalid_value', 'headers.Host', /set by the platform/],
    [{ headers: { 'transfer-encoding': 'chunked' } }, 400, 'invalid_value', 'headers.transfer-encoding', /platform/],
    [{ headers: { 'X-A': 'a', 'x-a': 'b' } }, 400, 'invalid_value', 'headers.x-a', /twice/],
    [
      { bearer_token: 'x', headers: { Authorization: 'Basic x' } },
      400,
      'invalid_value',
      'headers.Authorization',
      /one/,
    ],
    [{ cursor: 'x' }, 400, 'unknown_field', 'cursor', /remove it/],
    [{ state: 'paused' }, 400, 'unknown_field', 'state', /remove it/],
  ])('are refused with %j', async (values, status, code, param, message) => {
    const { status: answered, body } = await create(values);
    expect([answered, body.code, body.param]).toEqual([status, code, param]);
    expect(body.detail).toMatch(message);
    expect(JSON.stringify(body)).not.toMatch(/secret@|two words/);
  });

  it('are changed from the version that was read, and keep what is not given', async () => {
    const { body: made } = await create({ bearer_token: TOKEN, headers: HEADERS });
    const changed = await to('PATCH', made.id, {
      headers: { 'if-match': '"1"' },
      body: { name: newId(), location: 'MAIN', cursor: 'from-7' },
    });
    expect(changed.body).toMatchObject({ version: 2, location: 'MAIN', cursor: 'from-7', url: ADDRESS });
    expect(changed.body).toMatchObject({ has_bearer_token: true, header_names: ['X-Api-Key'] });
    const half = await to('PATCH', made.id, { body: { headers: null } });
    expect(half.body).toMatchObject({ version: 3, has_bearer_token: true, header_names: [], cursor: 'from-7' });
    const bare = await to('PATCH', made.id, { body: { bearer_token: null, location: null } });
    expect(bare.body).toMatchObject({ version: 4, has_bearer_token: false, location: null });
    expect(await env.query('select credentials, credentials_key from connections where id = $1', [made.id])).toEqual([
      { credentials: null, credentials_key: null },
    ]);
    const elsewhere = await to('PATCH', made.id, { body: { url: 'https://stock.example.com/other' } });
    expect(elsewhere.body).toMatchObject({ cursor: null, version: 5 });
    const there = await to('PATCH', made.id, { body: { url: ADDRESS, cursor: 'from-3' } });
    expect(there.body).toMatchObject({ cursor: 'from-3', version: 6 });
    for (const [method, path] of [
      ['PATCH', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['DELETE', ''],
    ] as const) {
      const body = method === 'PATCH' ? { body: { name: 'late' } } : {};
      const late = await to(method, `${made.id}${path}`, { headers: { 'if-match': '"1"' }, ...body });
      expect([late.status, late.body.code, late.body.current]).toEqual([412, 'version_mismatch', 6]);
    }
    expect((await to('PATCH', made.id, { body: { url: 'https://10.0.0.1/' } })).body.code).toBe(
      'outbound_refused_address',
    );
  });

  it('want their secrets again for another server', async () => {
    const { body: made } = await create({ bearer_token: TOKEN, headers: HEADERS });
    const move = (body: object) => to('PATCH', made.id, { body: { url: 'https://thief.example.com/feed', ...body } });
    for (const [body, param] of [
      [{}, 'bearer_token'],
      [{ headers: { 'X-Other': 'x' } }, 'bearer_token'],
      [{ bearer_token: 'x' }, 'headers'],
    ] as const) {
      const refused = await move(body);
      expect([refused.status, refused.body.code, refused.body.param]).toEqual([400, 'credentials_required', param]);
    }
    const port = await to('PATCH', made.id, { body: { url: 'https://stock.example.com:8443/feed' } });
    expect(port.body.code).toBe('credentials_required');
    const moved = await move({ bearer_token: null, headers: { 'X-Other': 'x' } });
    expect(moved.body).toMatchObject({ has_bearer_token: false, header_names: ['X-Other'] });
  });

  it('change once where many change the same version', async () => {
    const { body: made } = await create();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        to('PATCH', made.id, { headers: { 'if-match': '"1"' }, body: { name: newId() } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412, 412, 412, 412]);
    const entries = await env.query(
      "select data from audit_log where target_id = $1 and action = 'connection.updated'",
      [made.id],
    );
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({ data: { changed: ['name'] } });
  });

  it('have a name of their own', async () => {
    const [, second] = [await create({ name: 'one' }), await create({ name: 'two' })];
    expect((await create({ name: 'one' })).body).toMatchObject({ status: 409, code: 'connection_name_taken' });
    const renamed = await to('PATCH', second.body.id, { body: { name: 'one' } });
    expect(renamed.body).toMatchObject({ status: 409, code: 'connection_name_taken', param: 'name' });
    const elsewhere = await other.call(api, 'POST', '/v1/connections', { body: { name: 'one', url: ADDRESS } });
    expect(elsewhere.status).toBe(201);
  });

  it('are paused, resumed and deleted', async () => {
    const { body: made } = await create();
    const paused = await to('POST', `${made.id}/pause`);
    expect(paused.body).toMatchObject({ state: 'paused', version: 2 });
    expect((await to('POST', `${made.id}/pause`)).body.version).toBe(2);
    const refused = await to('POST', `${made.id}/sync`);
    expect([refused.status, refused.body.code]).toEqual([409, 'connection_paused']);
    const listed = await tenant.call(api, 'GET', '/v1/connections?state=paused');
    expect(listed.body.data.map(({ id }: { id: string }) => id)).toEqual([made.id]);
    expect((await to('POST', `${made.id}/resume`)).body).toMatchObject({ state: 'active', version: 3 });
    expect((await to('POST', `${made.id}/resume`)).body.version).toBe(3);
    expect((await to('DELETE', made.id)).status).toBe(204);
    expect((await to('GET', made.id)).status).toBe(404);
    expect((await to('POST', `${made.id}/sync`)).status).toBe(404);
    const trail = await env.query<{ action: string }>('select action from audit_log where target_id = $1 order by id', [
      made.id,
    ]);
    expect(trail.map(({ action }) => action)).toEqual(
      ['created', 'paused', 'resumed', 'deleted'].map((verb) => `connection.${verb}`),
    );
  });

  it('are listed page by page, newest first', async () => {
    const ids = [(await create()).body.id, (await create()).body.id, (await create()).body.id];
    const first = await tenant.call(api, 'GET', '/v1/connections?limit=2');
    expect(first.body).toMatchObject({ has_more: true, data: [{ id: ids[2] }, { id: ids[1] }] });
    const next = await tenant.call(api, 'GET', `/v1/connections?limit=2&cursor=${first.body.next_cursor}`);
    expect(next.body.data[0].id).toBe(ids[0]);
  });

  it('of another organization are unknown ones', async () => {
    const { body: made } = await create();
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'mine' }],
      ['POST', '/pause', undefined],
      ['POST', '/resume', undefined],
      ['POST', '/sync', undefined],
      ['DELETE', '', undefined],
    ] as const) {
      const options = body ? { body } : {};
      const foreign = await other.call(api, method, `/v1/connections/${made.id}${path}`, options);
      const unknown = await other.call(api, method, `/v1/connections/${newId()}${path}`, options);
      expect([foreign.status, foreign.body.code]).toEqual([404, 'not_found']);
      const same = ({ request_id: _request, instance: _instance, ...rest }: Record<string, unknown>) => rest;
      expect(same(foreign.body)).toEqual(same(unknown.body));
    }
  });

  it('are seen by all, synced by operators and changed by admins only', async () => {
    const { body: made } = await create();
    const as = async (role: string) => {
      const key = await tenant.call(api, 'POST', '/v1/api_keys', { body: { name: role, role } });
      const headers = { authorization: `Bearer ${key.body.key}` };
      const statuses: number[] = [];
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['POST', '/pause', undefined],
        ['PATCH', '', { bearer_token: 'x' }],
        ['POST', '/resume', undefined],
        ['POST', '/sync', undefined],
      ] as const) {
        const options = { headers, ...(body && { body }) };
        statuses.push((await call(api, method, `/v1/connections/${made.id}${path}`, options)).status);
      }
      return statuses;
    };
    await to('PATCH', made.id, { body: { url: feed.url } });
    expect(await as('viewer')).toEqual([200, 403, 403, 403, 403]);
    expect(await as('operator')).toEqual([200, 403, 403, 403, 202]);
    expect(await as('admin')).toEqual([200, 200, 200, 200, expect.any(Number)]);
    expect((await call(api, 'GET', '/v1/connections')).status).toBe(401);
  });

  it('are at most as many as the organization may have, also when they are made at once', async () => {
    const small = await createTenant(api, env, 'enterprise', { max_sync_connections: 3 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        small.call(api, 'POST', '/v1/connections', { body: { name: newId(), url: ADDRESS } }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 403, 403, 403, 403, 403]);
    const refused = answers.find(({ status }) => status === 403)!;
    expect(refused.body).toMatchObject({ code: 'limit_exceeded', limit: 'max_sync_connections', maximum: 3 });
  });

  it('bring the stock of the outside system, show what was left out, and go on where they were', async () => {
    const { sku } = await stockedProduct(api, tenant, 10);
    feed.rows.push({ sku, on_hand: 7, occurred_at: '2026-11-01T10:00:00Z' }, { sku: 'NO-SUCH', on_hand: 1 });
    const { body: made } = await create({ url: feed.url, bearer_token: TOKEN, headers: HEADERS });
    const asked = await to('POST', `${made.id}/sync`);
    expect([asked.status, asked.body.type, asked.body.class, asked.body.dedupe_key]).toEqual([
      ...[202, 'inventory.sync', 'critical', made.id],
    ]);
    const job = await ended(asked.body.id);
    expect(job).toMatchObject({
      state: 'completed',
      progress: { processed: 2, failed: 1, total: 2 },
      result: { connection_id: made.id, outcome: 'completed', pages: 1, rows: 2, failed: 1 },
    });
    expect(feed.calls).toHaveLength(1);
    expect(feed.calls[0]).toMatchObject({
      ...{ cursor: null, limit: 500 },
      headers: { authorization: `Bearer ${TOKEN}`, 'x-api-key': HEADERS['X-Api-Key'], accept: 'application/json' },
    });
    const report = await tenant.call(api, 'GET', `/v1/jobs/${job.id}/report`);
    expect(report.body).toBe('line,code,field,message\n2,unknown_product,sku,No product has this SKU. SKU NO-SUCH.\n');
    const levels = await tenant.call(api, 'GET', `/v1/stock_levels?sku=${sku}`);
    expect(levels.body.data).toMatchObject([{ on_hand: 7 }]);
    const moved = await tenant.call(api, 'GET', `/v1/stock_movements?reference_id=${job.id}`);
    expect(moved.body.data).toMatchObject([
      { type: 'count', reason: 'sync', quantity: -3, actor: { type: 'job', id: job.id } },
    ]);
    expect(new Date(moved.body.data[0].occurred_at).toISOString()).toBe('2026-11-01T10:00:00.000Z');
    expect((await to('GET', made.id)).body).toMatchObject({
      ...{ cursor: 'from-2', last_job_id: job.id, last_failure: null, version: 1 },
      last_success_at: expect.any(String),
    });
    feed.rows.push({ sku, on_hand: 9 });
    const again = await ended((await to('POST', `${made.id}/sync`)).body.id);
    expect(again.result).toMatchObject({ outcome: 'completed', rows: 1, failed: 0 });
    expect(feed.calls[1]!.cursor).toBe('from-2');
    const everything = await env.query('select row_to_json(l)::text from job_log l, jobs j');
    expect(JSON.stringify(everything)).not.toContain('very-secret');
  });

  it('takes as much of secrets as it says, whatever has to be escaped', async () => {
    const headers = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`X-${index}`.padEnd(100, 'x'), '"'.repeat(2_048)]),
    );
    const made = await create({ bearer_token: '\\'.repeat(8_192), headers });
    expect([made.status, made.body.header_names?.length]).toEqual([201, 10]);
    const more = await create({ headers: { ...headers, 'X-More': 'x' } });
    expect([more.status, more.body.param]).toEqual([400, 'headers']);
  });

  it('are counted by how their syncs end, without a word of whose they are', async () => {
    const { body: made } = await create({ url: feed.url });
    const counts = async (outcome: string) => {
      const { body } = await worker.inject({ url: '/metrics' });
      expect(body).not.toContain(tenant.id);
      return Number(new RegExp(`^stockyard_syncs_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(body)?.[1]);
    };
    const before = [await counts('completed'), await counts('failed')];
    await ended((await to('POST', `${made.id}/sync`)).body.id);
    feed.interfere = () => ({ status: 401 });
    await ended((await to('POST', `${made.id}/sync`)).body.id);
    expect([await counts('completed'), await counts('failed')]).toEqual([before[0]! + 1, before[1]! + 1]);
  });

  it('run one sync at a time, whoever asks', async () => {
    let open = () => undefined as unknown;
    const gate = new Promise((resolve) => (open = () => resolve(undefined)));
    feed.interfere = () => gate.then(() => undefined);
    const { body: made } = await create({ url: feed.url });
    const answers = await Promise.all(Array.from({ length: 6 }, () => to('POST', `${made.id}/sync`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 202]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    open();
    await ended(answers[0]!.body.id);
    const next = await to('POST', `${made.id}/sync`);
    expect(next.status).toBe(202);
    expect(next.body.id).not.toBe(answers[0]!.body.id);
    await ended(next.body.id);
  });

  it('are synced by a schedule', async () => {
    const { body: made } = await create({ url: feed.url });
    const schedule = await tenant.call(api, 'POST', '/v1/schedules', {
      body: { name: newId(), cron: '*/5 * * * *', job_type: 'inventory.sync', payload: { connection_id: made.id } },
    });
    expect(schedule.status).toBe(201);
    await env.query('update schedules set next_run_at = now() where id = $1', [schedule.body.id]);
    const connection = await waitFor(
      async () => {
        const { body } = await to('GET', made.id);
        return body.last_success_at ? body : undefined;
      },
      { what: 'the schedule to bring the stock' },
    );
    expect(connection.cursor).toBe('from-0');
    await tenant.call(api, 'DELETE', `/v1/schedules/${schedule.body.id}`);
    const wrong = await tenant.call(api, 'POST', '/v1/schedules', {
      body: { name: newId(), cron: '*/5 * * * *', job_type: 'inventory.sync', payload: { connection_id: 'x' } },
    });
    expect([wrong.status, wrong.body.param]).toEqual([400, 'payload.connection_id']);
  });

  it('whose breaker is open say when they are tried again, until they are resumed', async () => {
    const { body: made } = await create({ url: feed.url });
    await env.query(
      `update connections set breaker_state = 'open', breaker_failures = 5, breaker_openings = 1,
         breaker_retry_at = now() + interval '10 minutes' where id = $1`,
      [made.id],
    );
    const { body: shown } = await to('GET', made.id);
    expect(shown.breaker).toMatchObject({ state: 'open', failures: 5 });
    const refused = await to('POST', `${made.id}/sync`);
    expect([refused.status, refused.body.code]).toEqual([409, 'connection_breaker_open']);
    expect(refused.body.retry_at).toBe(shown.breaker.retry_at);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(590);
    expect((await to('POST', `${made.id}/resume`)).body.breaker).toEqual({
      ...{ state: 'closed', failures: 0, retry_at: null },
    });
    const asked = await to('POST', `${made.id}/sync`);
    expect((await ended(asked.body.id)).state).toBe('completed');
  });

  it('are described by the OpenAPI document, their secrets as write-only', async () => {
    const { body } = await call(api, 'GET', '/docs/json');
    expect(Object.keys(body.paths).filter((path) => path.startsWith('/v1/connections'))).toEqual([
      '/v1/connections',
      '/v1/connections/{id}',
      '/v1/connections/{id}/pause',
      '/v1/connections/{id}/resume',
      '/v1/connections/{id}/sync',
    ]);
  });
});
