/** No overselling with two api processes on one database, and reads of one see what the other wrote. */
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import {
  createTenant,
  type RunningApi,
  startApi,
  startApiProcess,
  stockedProduct,
  type Tenant,
} from './support/api-fixture';

describe('two api processes', () => {
  let env: TestEnvironment;
  let apis: RunningApi[];
  let tenant: Tenant;

  beforeAll(async () => {
    env = await createTestEnvironment();
    apis = await Promise.all([startApi(env), startApiProcess(env)]);
    tenant = await createTenant(apis[0]!, env);
  });

  afterAll(async () => {
    await Promise.all(apis.map((api) => api.stop()));
    await env.dispose();
  });

  const place = (index: number, skus: readonly string[], key = newId()) =>
    tenant.call(apis[index % 2]!, 'POST', '/v1/orders', {
      key,
      body: { currency: 'GBP', lines: skus.map((sku) => ({ kind: 'goods', sku, quantity: 1 })) },
    });
  const tally = (answers: readonly { status: number; body: { code?: string } }[]) =>
    answers.reduce<Record<string, number>>((counts, { status, body }) => {
      const what = status === 201 ? 'accepted' : (body.code ?? String(status));
      return { ...counts, [what]: (counts[what] ?? 0) + 1 };
    }, {});

  it('accept exactly 30 of 90 concurrent orders for 30 units', async () => {
    const { sku } = await stockedProduct(apis[0]!, tenant, 30);
    const answers = await Promise.all(Array.from({ length: 90 }, (_, index) => place(index, [sku])));
    expect(tally(answers)).toEqual({ accepted: 30, insufficient_stock: 60 });
    const levels = await tenant.call(apis[1]!, 'GET', `/v1/stock_levels?sku=${sku}`);
    expect(levels.body.data).toMatchObject([{ on_hand: 30, available: 0, allocated: 30 }]);
  });

  it('accept exactly what there is of orders over many products in opposite order, without a deadlock surfacing', async () => {
    const products = await Promise.all(Array.from({ length: 6 }, () => stockedProduct(apis[0]!, tenant, 30)));
    const skus = products.map(({ sku }) => sku);
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, index) => place(index, index % 3 === 0 ? [...skus].reverse() : skus)),
    );
    expect(tally(answers)).toEqual({ accepted: 30, insufficient_stock: 60 });
  });

  it('do the same request once, whichever of them is asked', async () => {
    const { sku } = await stockedProduct(apis[0]!, tenant, 10);
    const key = newId();
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => place(index, [sku], key)));
    const done = answers.filter(({ status }) => status === 201);
    expect(new Set(done.map(({ body }) => (body as { id: string }).id)).size).toBe(1);
    expect(
      answers.filter(({ status }) => status !== 201).every(({ body }) => body.code === 'idempotency_key_in_use'),
    ).toBe(true);
    const again = await place(1, [sku], key);
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    const levels = await tenant.call(apis[0]!, 'GET', `/v1/stock_levels?sku=${sku}`);
    expect(levels.body.data).toMatchObject([{ allocated: 1 }]);
  });
});
