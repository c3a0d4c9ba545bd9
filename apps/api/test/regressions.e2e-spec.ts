/** Defects that an attack on the running api found, each with the request that showed it. */
import { connect } from 'node:net';
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { createTestEnvironment, freePort, type TestEnvironment, waitFor, Way } from '#libs/testing';
import { Client } from 'pg';
import { createApi } from '../src/create-api';
import { call, createTenant, forgetLimits, type RunningApi, stockedProduct, type Tenant } from './support/api-fixture';

describe('regressions', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let tenant: Tenant;
  let database: Way;

  beforeAll(async () => {
    env = await createTestEnvironment();
    database = new Way(env.config.DATABASE_URL);
    await database.open();
    const config = loadConfig({
      ...env.variables,
      API_PORT: String(await freePort()),
      DATABASE_URL: database.url,
      DATABASE_ANSWER_TIMEOUT_MS: '700',
      DATABASE_POOL_WAIT_MS: '700',
    });
    const app = await createApi(config);
    await app.listen(config.API_PORT, config.HOST);
    api = { url: `http://127.0.0.1:${config.API_PORT}`, stop: () => app.close() };
    tenant = await createTenant(api, env);
  });

  afterAll(async () => {
    await api.stop();
    await database.cut();
    await env.dispose();
  });

  const post = (path: string, body?: unknown, more: { headers?: Record<string, string>; key?: string } = {}) =>
    tenant.call(api, 'POST', path, { key: newId(), ...(body === undefined ? {} : { body }), ...more });
  const order = (lines: unknown[], more: Record<string, unknown> = {}) =>
    post('/v1/orders', { currency: 'GBP', lines, ...more });
  const outcome = ({ status, body }: { status: number; body: { code?: string; param?: string } }) => [
    status,
    body.code,
    body.param,
  ];

  it('a connection lost in the middle of a flight is a 503, not the end of the process', async () => {
    const { sku, id } = await stockedProduct(api, tenant, 5);
    const blocker = new Client({ connectionString: env.adminUrl });
    await blocker.connect();
    try {
      await blocker.query('begin');
      await blocker.query('select from stock_levels where product_id = $1 for update', [id]);
      const answer = order([{ kind: 'goods', sku, quantity: 1 }]);
      await waitFor(
        async () => (await env.query("select from pg_stat_activity where wait_event_type = 'Lock'")).length > 0,
        { what: 'the order to wait for its level', timeoutMs: 600, intervalMs: 10 },
      );
      await database.cut();
      expect(outcome(await answer)).toEqual([503, 'database_unavailable', undefined]);
    } finally {
      await blocker.end();
      await database.open();
    }
    await waitFor(async () => (await order([{ kind: 'goods', sku, quantity: 1 }])).status === 201, {
      what: 'recovery',
    });
  });

  it('a primary that keeps the connection and says nothing is a 503 within the configured time, and reads go on', async () => {
    const { sku } = await stockedProduct(api, tenant, 5);
    database.swallow();
    try {
      const began = Date.now();
      const answers = await Promise.all([
        order([{ kind: 'goods', sku, quantity: 1 }]),
        tenant.call(api, 'GET', '/v1/orders'),
        tenant.call(api, 'GET', '/v1/users'), // the interactive lane
      ]);
      expect(answers[0].status).toBe(503);
      for (const { status } of answers) expect([200, 503]).toContain(status); // a replica answers once the silence is noticed
      expect(Date.now() - began).toBeLessThan(5_000);
      for (const path of ['/v1/orders', '/v1/users']) {
        const read = async () => (await tenant.call(api, 'GET', path)).status === 200;
        await waitFor(read, { what: `${path} from a replica` });
      }
      expect((await order([{ kind: 'goods', sku, quantity: 1 }])).status).toBe(503);
    } finally {
      await database.cut();
      await database.open();
    }
    await waitFor(async () => (await order([{ kind: 'goods', sku, quantity: 1 }])).status === 201, {
      what: 'recovery',
    });
  });

  it('a return with an order names lines of that order', async () => {
    const { sku } = await stockedProduct(api, tenant, 5);
    const sold = await order([{ kind: 'goods', sku, quantity: 1 }], { advance_to: 'fulfilled' });
    const back = await post('/v1/returns', {
      order_id: sold.body.id,
      currency: 'GBP',
      reason: 'x',
      lines: [{ kind: 'goods', sku, quantity: 500 }],
    });
    expect(outcome(back)).toEqual([400, 'invalid_value', 'lines[0]']);
  });

  it('a return goes where it says, and in the currency of its order', async () => {
    const { sku } = await stockedProduct(api, tenant, 5);
    const sold = await order([{ kind: 'goods', sku, quantity: 2 }], { advance_to: 'fulfilled' });
    const back = (line: Record<string, unknown>, currency = 'GBP') =>
      post('/v1/returns', {
        order_id: sold.body.id,
        currency,
        reason: 'x',
        lines: [{ kind: 'goods', order_line_id: sold.body.lines[0].id, quantity: 1, ...line }],
      });
    expect(outcome(await back({ location: 'NOPE' }))).toEqual([422, 'unknown_location', 'lines[0].location']);
    expect(outcome(await back({}, 'USD'))).toEqual([422, 'currency_mismatch', 'currency']);
    const depot = await post('/v1/locations', { code: `D-${newId()}`, name: 'Depot' });
    expect((await back({ location: depot.body.code })).body.lines[0].location_id).toBe(depot.body.id);
  });

  it('amounts stay exact when the price comes from the product, and currencies are not mixed', async () => {
    const sku = `DEAR-${newId()}`;
    await post('/v1/products', { sku, name: sku, price_minor: 1_000_000_000_000, currency: 'GBP' });
    const dear = (quantity: number) => [{ kind: 'goods', sku, quantity }];
    for (const quantity of [9_008, 1_000_000_000]) {
      expect(outcome(await order(dear(quantity), { advance_to: 'draft' }))).toEqual([
        422,
        'amount_out_of_range',
        'lines',
      ]);
      const back = await post('/v1/returns', { currency: 'GBP', reason: 'x', lines: dear(quantity) });
      expect(outcome(back)).toEqual([422, 'amount_out_of_range', 'lines']);
    }
    const exact = await order(dear(9_007), { advance_to: 'draft' });
    expect(exact.body.total_minor).toBe(9_007_000_000_000_000);
    const yen = await post('/v1/orders', { currency: 'JPY', advance_to: 'draft', lines: dear(1) });
    expect(outcome(yen)).toEqual([422, 'currency_mismatch', 'lines[0].unit_price_minor']);
  });

  it('ids in capitals are the same ids: for caches, suspensions and repetitions', async () => {
    const { id } = await stockedProduct(api, tenant, 5);
    const upper = id.toUpperCase();
    expect((await tenant.call(api, 'GET', `/v1/products/${upper}`)).body.id).toBe(id);
    await tenant.call(api, 'PATCH', `/v1/products/${upper}`, { body: { name: 'Renamed' } });
    for (const spelling of [id, upper]) {
      expect((await tenant.call(api, 'GET', `/v1/products/${spelling}`)).body.name).toBe('Renamed');
    }
    const other = await createTenant(api, env);
    expect((await other.call(api, 'POST', '/v1/locations', { body: { code: 'A', name: 'A' } })).status).toBe(201);
    await call(api, 'PATCH', `/v1/admin/organizations/${other.id.toUpperCase()}`, {
      headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
      body: { state: 'suspended' },
    });
    expect((await other.call(api, 'POST', '/v1/locations', { body: { code: 'B', name: 'B' } })).status).toBe(403);
  });

  it('a version nobody has reached never matches', async () => {
    const { id } = await stockedProduct(api, tenant, 1);
    const headers = { 'if-match': '"999999999999999"' };
    const answer = await tenant.call(api, 'PATCH', `/v1/products/${id}`, { body: { name: 'x' }, headers });
    expect(outcome(answer)).toEqual([412, 'version_mismatch', 'If-Match']);
  });

  it.each(['2016-12-31T23:59:60Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59'])(
    'the time %s is refused',
    async (time) => {
      const line = { kind: 'charge', description: 'x', unit_price_minor: 1 };
      expect(outcome(await order([line], { occurred_at: time }))).toEqual([400, 'invalid_value', 'occurred_at']);
    },
  );

  it('who may not import uses up no quota on the way', async () => {
    const free = await createTenant(api, env, 'free');
    const viewer = await free.call(api, 'POST', '/v1/api_keys', { body: { name: 'v', role: 'viewer' } });
    const send = (authorization?: string) =>
      free.call(api, 'POST', '/v1/imports', {
        key: newId(),
        raw: 'sku,name,price,currency\nA,A,1,GBP\n',
        headers: { 'content-type': 'text/csv', ...(authorization ? { authorization } : {}) },
      });
    for (let index = 0; index < 6; index += 1) {
      expect((await send(`Bearer ${viewer.body.key}`)).body.code).toBe('permission_denied');
    }
    expect((await send()).status).toBe(202);
  });

  it('the audit log is for those who may see people and keys', async () => {
    const viewer = await tenant.call(api, 'POST', '/v1/api_keys', { body: { name: 'v', role: 'viewer' } });
    const read = (authorization?: string) =>
      tenant.call(api, 'GET', '/v1/audit_log', authorization ? { headers: { authorization } } : {});
    expect((await read(`Bearer ${viewer.body.key}`)).status).toBe(403);
    expect((await read()).status).toBe(200);
  });

  it('an action takes an empty body that is called JSON as none', async () => {
    const { sku } = await stockedProduct(api, tenant, 5);
    const { body } = await order([{ kind: 'goods', sku, quantity: 1 }]);
    const empty = { raw: '', headers: { 'content-type': 'application/json' } };
    const act = async (action: string) =>
      (await tenant.call(api, 'POST', `/v1/orders/${body.id}/${action}`, { key: newId(), ...empty })).body;
    expect(await act('fulfil')).toMatchObject({ state: 'fulfilled' }); // its body is optional
    expect(await act('cancel')).toMatchObject({ code: 'invalid_state_transition' }); // it has none
  });

  it('bodies that nobody reads are refused', async () => {
    const { sku } = await stockedProduct(api, tenant, 1);
    const { body } = await order([{ kind: 'goods', sku, quantity: 1 }]);
    const cancel = `/v1/orders/${body.id}/cancel`;
    expect(outcome(await post(cancel, { bogus: 1 }))).toEqual([400, 'unknown_field', 'bogus']);
    const csv = await tenant.call(api, 'POST', cancel, {
      key: newId(),
      raw: 'a',
      headers: { 'content-type': 'text/csv' },
    });
    expect(outcome(csv)).toEqual([415, 'unsupported_media_type', 'Content-Type']);
    expect((await post(cancel)).body.state).toBe('cancelled');
  });

  it('a partly returned order that is then fulfilled stays known as partly returned', async () => {
    const { sku } = await stockedProduct(api, tenant, 4);
    const { body } = await order([{ kind: 'goods', sku, quantity: 4 }]);
    const line = body.lines[0].id as string;
    await post(`/v1/orders/${body.id}/fulfil`, { lines: [{ line_id: line, quantity: 2 }] });
    await post('/v1/returns', {
      order_id: body.id,
      currency: 'GBP',
      reason: 'x',
      lines: [{ kind: 'goods', order_line_id: line, quantity: 1 }],
    });
    expect((await post(`/v1/orders/${body.id}/fulfil`)).body.state).toBe('partially_returned');
  });

  it.each([
    ['a broken escape', 'GET /v1/orders/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400],
    [
      'a parameter without end',
      `GET /v1/orders/${'a'.repeat(600)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      400,
    ],
    ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['what is no HTTP', 'HELLO\r\n\r\n', 400],
  ])('%s is answered by a problem document', async (_what, request, status) => {
    await forgetLimits(env);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(request));
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    const [head, body] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
    expect(head).toMatch(/application\/problem\+json/);
    expect(JSON.parse(body!)).toMatchObject({ code: expect.any(String), request_id: expect.any(String) });
  });
});
