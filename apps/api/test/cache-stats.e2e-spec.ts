/** `/v1/cache/stats`, of two apis together. */
import { setTimeout as pause } from 'node:timers/promises';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { Redis } from 'ioredis';
import { createTenant, type RunningApi, startApi, stockedProduct, type Tenant } from './support/api-fixture';

const LIFE_OF_MEMORY_MS = 1_000;

describe('the statistics of the cache', () => {
  let env: TestEnvironment;
  let one: RunningApi;
  let two: RunningApi;
  let tenant: Tenant;

  beforeAll(async () => {
    env = await createTestEnvironment();
    [one, two] = await Promise.all([startApi(env), startApi(env)]);
    tenant = await createTenant(one, env);
  });
  afterAll(async () => {
    await Promise.all([one.stop(), two.stop()]);
    await env.dispose();
  });

  const stats = (api: RunningApi, of = tenant, query = '') => of.call(api, 'GET', `/v1/cache/stats${query}`);

  it('are those of the caller’s organization alone, by namespace', async () => {
    const { id } = await stockedProduct(one, tenant, 1);
    const read = (api: RunningApi) => tenant.call(api, 'GET', `/v1/products/${id}`);
    for (let reads = 0; reads < 3; reads += 1) expect((await read(one)).status).toBe(200);
    const product = await tenant.call(one, 'PATCH', `/v1/products/${id}`, {
      body: { name: 'another' },
      headers: { 'if-match': (await read(one)).headers.get('etag')! },
    });
    expect(product.status).toBe(200);
    expect((await read(one)).body).toMatchObject({ name: 'another' });
    await pause(LIFE_OF_MEMORY_MS + 100);
    expect((await read(one)).body).toMatchObject({ name: 'another' });
    const { status, body } = await stats(one);
    expect(status).toBe(200);
    const found = body.namespaces.find(({ namespace }: { namespace: string }) => namespace === 'catalog.product');
    expect(found).toMatchObject({
      hits: { memory: 3, redis: 1, joined: 0, stale: 0 },
      misses: 2,
      bypassed: 0,
      sets: 2,
      invalidations: 1,
      loads: 2,
      hit_rate: 0.6667,
    });
    expect(found.set_bytes).toBeGreaterThan(100);
    expect(body.memory).toEqual({ used_bytes: expect.any(Number), budget_bytes: 536_870_912 });
    expect(body.memory.used_bytes).toBeGreaterThan(found.set_bytes / 2);
    expect(Date.parse(body.to) - Date.parse(body.from)).toBeGreaterThan(23 * 3_600_000);

    const other = await createTenant(one, env);
    expect((await stats(one, other)).body).toMatchObject({ namespaces: [], memory: { used_bytes: 0 } });
    const metrics = await tenant.call(one, 'GET', '/api/metrics');
    expect(metrics.body.cache).toMatchObject({ hit_rate: 0.6667, reads: { hit_near: 3, miss: 2 } });

    await read(two);
    const both = (await stats(two)).body.namespaces[0];
    expect(both).toMatchObject({ hits: { memory: 3, redis: 2 }, misses: 2 });
  });

  it('refuse hours that are none, naming the parameter', async () => {
    for (const hours of ['0', '49', 'x']) {
      const { status, body } = await stats(one, tenant, `?hours=${hours}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'invalid_value', param: 'hours' });
    }
    expect((await stats(one, tenant, '?hours=48')).status).toBe(200);
  });

  it('are 503 cache_unavailable while the cache is away', async () => {
    const redis = new Redis(env.config.redisCacheUrl);
    try {
      await redis.client('PAUSE', 600, 'ALL');
    } finally {
      redis.disconnect();
    }
    const { status, body } = await stats(one);
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: 'cache_unavailable' });
    await pause(800);
  });
});
