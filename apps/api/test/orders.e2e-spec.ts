/** The life of an order over HTTP, as its clients walk it. */
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { createTenant, type RunningApi, startApi, stockedProduct, type Tenant } from './support/api-fixture';

describe('orders over HTTP', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let tenant: Tenant;

  beforeAll(async () => {
    env = await createTestEnvironment();
    api = await startApi(env);
    tenant = await createTenant(api, env);
  });

  afterAll(async () => {
    await api.stop();
    await env.dispose();
  });

  const step = (id: string, action: string, body?: unknown) =>
    tenant.call(api, 'POST', `/v1/orders/${id}/${action}`, { key: newId(), ...(body === undefined ? {} : { body }) });

  it('goes from draft to returned, with and without a body, its version in the ETag', async () => {
    const { sku } = await stockedProduct(api, tenant, 5);
    const made = await tenant.call(api, 'POST', '/v1/orders', {
      key: newId(),
      body: { currency: 'GBP', advance_to: 'draft', reference: 'R-7', lines: [{ kind: 'goods', sku, quantity: 3 }] },
    });
    expect([made.status, made.body.state, made.headers.get('etag')]).toEqual([201, 'draft', '"1"']);
    const { id, lines } = made.body;
    expect((await step(id, 'confirm')).body.state).toBe('confirmed');
    expect((await step(id, 'allocate')).body.state).toBe('allocated');
    const part = await step(id, 'fulfil', { lines: [{ line_id: lines[0].id, quantity: 1 }] });
    expect([part.body.state, part.headers.get('etag')]).toEqual(['partially_fulfilled', '"4"']);
    expect((await step(id, 'fulfil')).body.state).toBe('fulfilled');
    const back = await tenant.call(api, 'POST', '/v1/returns', {
      key: newId(),
      body: {
        order_id: id,
        reason: 'unwanted',
        currency: 'GBP',
        lines: [{ kind: 'goods', order_line_id: lines[0].id, quantity: 3 }],
      },
    });
    expect(back.status).toBe(201);
    expect((await tenant.call(api, 'GET', `/v1/returns/${back.body.id}`)).body).toEqual(back.body);
    expect((await tenant.call(api, 'GET', `/v1/returns?order_id=${id}`)).body.data).toHaveLength(1);
    const read = await tenant.call(api, 'GET', `/v1/orders/${id}`);
    expect([read.body.state, read.body.lines[0].returned]).toEqual(['returned', 3]);
    expect((await tenant.call(api, 'GET', '/v1/orders?reference=R-7&state=returned')).body.data).toMatchObject([
      { id },
    ]);
    const movements = await tenant.call(api, 'GET', `/v1/stock_movements?reference_id=${id}`);
    expect(movements.body.data.map(({ type }: { type: string }) => type)).toEqual([
      'fulfilment',
      'fulfilment',
      'allocation',
    ]);
  });

  it('refuses a step against another version', async () => {
    const { sku } = await stockedProduct(api, tenant, 1);
    const { body } = await tenant.call(api, 'POST', '/v1/orders', {
      key: newId(),
      body: { currency: 'GBP', lines: [{ kind: 'goods', sku, quantity: 1 }] },
    });
    const cancel = (etag: string) =>
      tenant.call(api, 'POST', `/v1/orders/${body.id}/cancel`, { key: newId(), headers: { 'if-match': etag } });
    expect(await cancel('"9"')).toMatchObject({ status: 412, body: { code: 'version_mismatch', current: 1 } });
    expect((await cancel('"1"')).body.state).toBe('cancelled');
  });
});
