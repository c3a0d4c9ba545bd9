/** What the api does while a server it needs is out, and that it recovers without a restart. */
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { createTestEnvironment, freePort, type TestEnvironment, waitFor, Way } from '#libs/testing';
import { createApi } from '../src/create-api';
import { createTenant, type RunningApi, stockedProduct, type Tenant } from './support/api-fixture';

describe('while a server is out', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let tenant: Tenant;
  let database: Way;
  let queue: Way;
  let cache: Way;

  beforeAll(async () => {
    env = await createTestEnvironment();
    [database, queue, cache] = [
      new Way(env.config.DATABASE_URL),
      new Way(env.config.REDIS_URL),
      new Way(env.config.REDIS_URL),
    ];
    await Promise.all([database.open(), queue.open(), cache.open()]);
    const config = loadConfig({
      ...env.variables,
      API_PORT: String(await freePort()),
      DATABASE_URL: database.url,
      DATABASE_POOL_WAIT_MS: '1000',
      REDIS_URL: queue.url,
      REDIS_CACHE_URL: cache.url,
    });
    const app = await createApi(config);
    await app.listen(config.API_PORT, config.HOST);
    api = { url: `http://127.0.0.1:${config.API_PORT}`, stop: () => app.close() };
    tenant = await createTenant(api, env);
  });

  afterAll(async () => {
    await api.stop();
    await Promise.all([database.cut(), queue.cut(), cache.cut()]);
    await env.dispose();
  });

  const order = (sku: string, key = newId()) =>
    tenant.call(api, 'POST', '/v1/orders', {
      key,
      body: { currency: 'GBP', lines: [{ kind: 'goods', sku, quantity: 1 }] },
    });

  it('answers 503 with Retry-After without a primary, keeps the process ready, and goes on when it is back', async () => {
    const { sku } = await stockedProduct(api, tenant, 10);
    await database.cut();
    const key = newId();
    const began = Date.now();
    const refused = await order(sku, key);
    expect([refused.status, refused.body.code]).toEqual([503, 'database_unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Date.now() - began).toBeLessThan(5_000);
    expect((await fetch(`${api.url}/live`)).status).toBe(200);
    expect((await fetch(`${api.url}/ready`)).status).toBe(200);
    const health = await waitFor(
      async () => {
        const answer = await fetch(`${api.url}/health`);
        return answer.status === 503 && ((await answer.json()) as { status: string });
      },
      { what: 'health to notice' },
    );
    expect(health.status).toBe('unhealthy');
    await database.open();
    const accepted = await waitFor(
      async () => {
        const answer = await order(sku, key);
        return answer.status === 201 && answer;
      },
      { what: 'the order to go through again' },
    );
    expect(accepted.body.state).toBe('allocated');
    const levels = await tenant.call(api, 'GET', `/v1/stock_levels?sku=${sku}`);
    expect(levels.body.data).toMatchObject([{ allocated: 1, available: 9 }]);
  });

  it('goes on without the Redis of queues: orders are taken, jobs wait in the outbox', async () => {
    const { sku } = await stockedProduct(api, tenant, 3);
    await queue.cut();
    try {
      await placeAndQueue(sku);
    } finally {
      await queue.open();
    }
  });

  async function placeAndQueue(sku: string): Promise<void> {
    expect((await order(sku)).status).toBe(201);
    const job = await tenant.call(api, 'POST', '/v1/exports', { body: { resource: 'products', format: 'csv' } });
    expect([job.status, job.body.state]).toEqual([202, 'queued']);
    const waiting = await env.query('select from outbox where published_at is null and aggregate_id = $1', [
      job.body.id,
    ]);
    expect(waiting).toHaveLength(1);
  }

  it.each(['cut', 'swallow'] as const)(
    'goes on without the Redis of cache and limits (%s), except for dear work',
    async (how) => {
      const product = await stockedProduct(api, tenant, 3);
      expect((await tenant.call(api, 'GET', `/v1/products/${product.id}`)).status).toBe(200);
      await cache[how]();
      try {
        await waitFor(
          async () => {
            const dear = await tenant.call(api, 'POST', '/v1/exports', {
              body: { resource: 'products', format: 'csv' },
            });
            return dear.status === 503 && Number(dear.headers.get('retry-after')) > 0;
          },
          { what: 'dear work to be refused' },
        );
        const read = await tenant.call(api, 'GET', `/v1/products/${product.id}`);
        expect([read.status, read.body.sku]).toEqual([200, product.sku]);
        expect((await order(product.sku)).status).toBe(201);
      } finally {
        await cache.cut();
        await cache.open();
      }
      await waitFor(
        async () =>
          (await tenant.call(api, 'POST', '/v1/exports', { body: { resource: 'products', format: 'csv' } })).status ===
          202,
        { what: 'exports to be accepted again' },
      );
    },
  );

  it('answers 503 for usage while metrics is away, and nothing else with it', async () => {
    const usage = await tenant.call(api, 'GET', '/v1/usage');
    expect([usage.status, usage.body.code]).toEqual([503, 'metrics_unavailable']);
    expect((await tenant.call(api, 'GET', '/v1/products')).status).toBe(200);
  });
});
