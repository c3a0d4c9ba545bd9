/** Bad input: each kind answers a 4xx problem document with a code and the field, and nothing is written. */
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import fc from 'fast-check';
import {
  call,
  type CallOptions,
  createTenant,
  forgetLimits,
  type RunningApi,
  startApi,
  stockedProduct,
  type Tenant,
} from './support/api-fixture';

type Case = readonly [
  what: string,
  method: string,
  path: string,
  options: CallOptions,
  status: number,
  code: string,
  param: string | undefined,
];

const order = (lines: unknown[], more: Record<string, unknown> = {}): CallOptions => ({
  key: newId(),
  body: { currency: 'GBP', lines, ...more },
});

describe('bad input', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let tenant: Tenant;
  let product: { id: string; sku: string };

  const TABLES = [
    'products',
    'locations',
    'stock_levels',
    'stock_movements',
    'orders',
    'order_lines',
    'returns',
    'outbox',
    'idempotency_keys',
    'jobs',
    'users',
    'api_keys',
  ];
  const footprint = () =>
    env.query(
      `select ${TABLES.map((table) => `(select count(*) from ${table})`).join(" || '/' || ")} as rows, (select sum(on_hand) from stock_levels) as units`,
    );

  beforeAll(async () => {
    env = await createTestEnvironment();
    api = await startApi(env);
    tenant = await createTenant(api, env);
    product = await stockedProduct(api, tenant, 5);
  });

  afterAll(async () => {
    await api.stop();
    await env.dispose();
  });

  const goods = (quantity: unknown, more: Record<string, unknown> = {}) => ({
    kind: 'goods',
    sku: 'X',
    quantity,
    ...more,
  });

  const CASES: readonly Case[] = [
    ['malformed JSON', 'POST', '/v1/orders', { key: 'k', raw: '{"lines": [' }, 400, 'malformed_json', 'body'],
    ['an empty JSON body', 'POST', '/v1/products', { raw: '' }, 400, 'invalid_value', 'body'],
    ['a body that is no object', 'POST', '/v1/products', { raw: '[]' }, 400, 'invalid_value', 'body'],
    [
      'another content type',
      'POST',
      '/v1/products',
      { raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_media_type',
      undefined,
    ],
    [
      'an unknown field',
      'POST',
      '/v1/products',
      { body: { sku: 'A', name: 'A', currency: 'GBP', colour: 'red' } },
      400,
      'unknown_field',
      'colour',
    ],
    ['an unknown query field', 'GET', '/v1/products?colour=red', {}, 400, 'unknown_field', 'colour'],
    [
      'a wrong type',
      'POST',
      '/v1/products',
      { body: { sku: 7, name: 'A', currency: 'GBP' } },
      400,
      'invalid_value',
      'sku',
    ],
    ['a missing field', 'POST', '/v1/products', { body: { name: 'A', currency: 'GBP' } }, 400, 'missing_field', 'sku'],
    [
      'a bad currency',
      'POST',
      '/v1/products',
      { body: { sku: 'A', name: 'A', currency: 'pounds' } },
      400,
      'invalid_value',
      'currency',
    ],
    [
      'a text too long',
      'POST',
      '/v1/products',
      { body: { sku: 'A', name: 'A'.repeat(301), currency: 'GBP' } },
      400,
      'invalid_value',
      'name',
    ],
    [
      'a negative price',
      'POST',
      '/v1/products',
      { body: { sku: 'A', name: 'A', price_minor: -1, currency: 'GBP' } },
      400,
      'invalid_value',
      'price_minor',
    ],
    [
      'a fractional price',
      'POST',
      '/v1/products',
      { body: { sku: 'A', name: 'A', price_minor: 1.5, currency: 'GBP' } },
      400,
      'invalid_value',
      'price_minor',
    ],
    [
      'a NUL in a text',
      'POST',
      '/v1/products',
      { raw: '{"sku":"A\\u0000B","name":"A","currency":"GBP"}' },
      400,
      'invalid_value',
      'sku',
    ],
    ['a negative quantity', 'POST', '/v1/orders', order([goods(-1)]), 400, 'invalid_value', 'lines[0].quantity'],
    ['a quantity of zero', 'POST', '/v1/orders', order([goods(0)]), 400, 'invalid_value', 'lines[0].quantity'],
    ['a huge quantity', 'POST', '/v1/orders', order([goods(1e15)]), 400, 'invalid_value', 'lines[0].quantity'],
    ['a quantity as text', 'POST', '/v1/orders', order([goods('1')]), 400, 'invalid_value', 'lines[0].quantity'],
    ['no lines', 'POST', '/v1/orders', order([]), 400, 'invalid_value', 'lines'],
    [
      'too many lines',
      'POST',
      '/v1/orders',
      order(Array.from({ length: 2001 }, () => goods(1))),
      400,
      'invalid_value',
      'lines',
    ],
    ['an unknown kind of line', 'POST', '/v1/orders', order([{ kind: 'gift' }]), 400, 'invalid_value', 'lines[0].kind'],
    [
      'an unknown field in a line',
      'POST',
      '/v1/orders',
      order([goods(1, { colour: 'red' })]),
      400,
      'unknown_field',
      'lines[0].colour',
    ],
    [
      'both ways to name a product',
      'POST',
      '/v1/orders',
      order([goods(1, { product_id: newId() })]),
      400,
      'invalid_value',
      'lines[0].sku',
    ],
    [
      'an unknown state',
      'POST',
      '/v1/orders',
      order([goods(1)], { advance_to: 'shipped' }),
      400,
      'invalid_value',
      'advance_to',
    ],
    [
      'a bad time',
      'POST',
      '/v1/orders',
      order([goods(1)], { occurred_at: 'yesterday' }),
      400,
      'invalid_value',
      'occurred_at',
    ],
    ['an unknown product', 'POST', '/v1/orders', order([goods(1)]), 422, 'unknown_product', 'lines[0].sku'],
    [
      'amounts beyond what adds up',
      'POST',
      '/v1/orders',
      order(Array.from({ length: 20 }, () => goods(1e9, { unit_price_minor: 1e12 }))),
      422,
      'amount_out_of_range',
      undefined,
    ],
    [
      'no Idempotency-Key',
      'POST',
      '/v1/orders',
      { body: { currency: 'GBP', lines: [goods(1)] } },
      400,
      'idempotency_key_required',
      'Idempotency-Key',
    ],
    [
      'an Idempotency-Key too long',
      'POST',
      '/v1/orders',
      { ...order([goods(1)]), key: 'k'.repeat(256) },
      400,
      'invalid_idempotency_key',
      'Idempotency-Key',
    ],
    [
      'a delta of zero',
      'POST',
      '/v1/adjustments',
      { key: newId(), body: { reason: 'r', lines: [{ sku: 'X', delta: 0 }] } },
      400,
      'invalid_value',
      'lines[0].delta',
    ],
    [
      'an adjustment without lines',
      'POST',
      '/v1/adjustments',
      { key: newId(), body: { reason: 'r' } },
      400,
      'missing_field',
      'lines',
    ],
    [
      'a return of nothing known',
      'POST',
      '/v1/returns',
      { key: newId(), body: { reason: 'r', currency: 'GBP', lines: [{ kind: 'goods', quantity: 1 }] } },
      400,
      'invalid_value',
      'lines[0]',
    ],
    [
      'a return for an unknown order',
      'POST',
      '/v1/returns',
      {
        key: newId(),
        body: {
          reason: 'r',
          currency: 'GBP',
          order_id: newId(),
          lines: [{ kind: 'goods', order_line_id: newId(), quantity: 1 }],
        },
      },
      422,
      'unknown_order',
      'order_id',
    ],
    ['a bad cursor', 'GET', '/v1/orders?cursor=abc', {}, 400, 'invalid_cursor', 'cursor'],
    [
      'a cursor of another list',
      'GET',
      `/v1/stock_levels?cursor=${Buffer.from(JSON.stringify([newId()])).toString('base64url')}`,
      {},
      400,
      'invalid_cursor',
      'cursor',
    ],
    ['a page too large', 'GET', '/v1/products?limit=101', {}, 400, 'invalid_value', 'limit'],
    ['a page that is no number', 'GET', '/v1/products?limit=ten', {}, 400, 'invalid_value', 'limit'],
    ['an id that is none', 'GET', '/v1/orders/42', {}, 400, 'invalid_value', 'id'],
    ['an unknown id', 'GET', `/v1/orders/${newId()}`, {}, 404, 'not_found', undefined],
    ['an unknown path', 'GET', '/v1/unicorns', {}, 404, 'not_found', undefined],
    [
      'a bad If-Match',
      'PATCH',
      `/v1/products/${newId()}`,
      { body: { name: 'B' }, headers: { 'if-match': 'latest' } },
      400,
      'invalid_if_match',
      'If-Match',
    ],
    [
      'a body over 1 MiB',
      'POST',
      '/v1/products',
      { raw: JSON.stringify({ sku: 'A', name: 'A'.repeat(1_100_000), currency: 'GBP' }) },
      413,
      'body_too_large',
      undefined,
    ],
  ];

  it.each(CASES)('%s: %s %s', async (_what, method, path, options, status, code, param) => {
    const before = await footprint();
    const answer = await tenant.call(api, method, path, options);
    expect({ status: answer.status, code: answer.body.code, param: answer.body.param }).toEqual({
      status,
      code,
      param,
    });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      status,
      type: 'about:blank',
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'));
    expect(await footprint()).toEqual(before);
  });

  it.each([
    ['no credentials', {}, 'authentication_required'],
    ['nonsense', { authorization: 'Bearer nonsense' }, 'invalid_token'],
    ['another scheme', { authorization: 'Basic YTpi' }, undefined],
    ['a key of nobody', { authorization: `Bearer sk_${'A'.repeat(87)}` }, 'invalid_token'],
  ])('refuses %s with 401', async (_what, headers, code) => {
    const answer = await call(api, 'GET', '/v1/products', { headers });
    expect(answer.status).toBe(401);
    if (code) expect(answer.body.code).toBe(code);
  });

  it('refuses an expired and a revoked key, and tells which to who has it', async () => {
    const soon = new Date(Date.now() + 1_500).toISOString();
    const expiring = await tenant.call(api, 'POST', '/v1/api_keys', {
      body: { name: 'e', role: 'viewer', expires_at: soon },
    });
    const revoked = await tenant.call(api, 'POST', '/v1/api_keys', { body: { name: 'r', role: 'viewer' } });
    await tenant.call(api, 'DELETE', `/v1/api_keys/${revoked.body.id}`);
    const use = (key: string) => call(api, 'GET', '/v1/products', { headers: { authorization: `Bearer ${key}` } });
    expect((await use(expiring.body.key)).status).toBe(200);
    expect(await use(revoked.body.key)).toMatchObject({ status: 401, body: { code: 'api_key_revoked' } });
    while (Date.now() <= Date.parse(soon)) await use(expiring.body.key);
    expect(await use(expiring.body.key)).toMatchObject({ status: 401, body: { code: 'api_key_expired' } });
  });

  it('answers another tenant’s id exactly as an unknown one', async () => {
    const stranger = await createTenant(api, env);
    const placed = await tenant.call(
      api,
      'POST',
      '/v1/orders',
      order([{ kind: 'goods', sku: product.sku, quantity: 1 }]),
    );
    const without = ({ request_id: _id, ...rest }: Record<string, unknown>) => JSON.stringify(rest);
    for (const [resource, id] of [
      ['orders', placed.body.id as string],
      ['products', product.id],
    ] as const) {
      const foreign = await stranger.call(api, 'GET', `/v1/${resource}/${id}`);
      const unknown = await stranger.call(api, 'GET', `/v1/${resource}/${newId()}`);
      expect([foreign.status, without(foreign.body)]).toEqual([404, without(unknown.body)]);
    }
    const cancel = await stranger.call(api, 'POST', `/v1/orders/${placed.body.id}/cancel`, { key: newId() });
    expect([cancel.status, cancel.body.code]).toEqual([404, 'not_found']);
    const edit = await stranger.call(api, 'PATCH', `/v1/products/${product.id}`, { body: { name: 'mine' } });
    expect(edit.status).toBe(404);
  });

  it('never answers 500, whatever JSON comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          '/v1/orders',
          '/v1/adjustments',
          '/v1/returns',
          '/v1/products',
          '/v1/locations',
          '/v1/auth/login',
        ),
        fc.json(),
        async (path, raw) => {
          await forgetLimits(env);
          const answer = await tenant.call(api, 'POST', path, { raw, key: newId() });
          expect(answer.status).toBeGreaterThanOrEqual(400);
          expect(answer.status).toBeLessThan(500);
        },
      ),
      { numRuns: 150 },
    );
  });
});
