import { once } from 'node:events';
import { newId } from '#libs/kernel';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/local-stack';
import { redisOptions } from '#libs/redis';
import type { ReleaseSlot } from '#libs/tenancy';
import { Redis } from 'ioredis';
import { RedisRequestShare } from './redis-request-share';
import { RedisTenantShare } from './redis-tenant-share';
import { ShareReader } from './share-reader';

const PREFIX = 'request-share';

describe('the requests of a tenant', () => {
  let server: LocalRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startLocalRedis();
    redis = new Redis(server.url, redisOptions('fast'));
    await once(redis, 'ready');
  });

  afterAll(async () => {
    redis.disconnect();
    await server.remove();
  });

  it('are refused at once where four wait for each slot, and count apart from its transactions', async () => {
    const tenant = newId();
    const requests = new RedisRequestShare(redis, { REDIS_KEY_PREFIX: PREFIX, ADMISSION_WAIT_MS: 300 });
    const transactions = new RedisTenantShare(redis, {
      REDIS_KEY_PREFIX: PREFIX,
      DATABASE_TENANT_WAIT_MS: 300,
      DATABASE_POOL_SIZE: 12,
    });
    requests.onModuleInit();
    transactions.onModuleInit();
    const release = await requests.take(tenant, 1);
    (await transactions.take(tenant, 1))();
    const waiting = Array.from({ length: 4 }, () => Promise.resolve(requests.take(tenant, 1)));
    const refused = { code: 'limit_exceeded', category: 'limited', details: { limit: 'max_concurrent_requests' } };
    expect(() => requests.take(tenant, 1)).toThrow(expect.objectContaining({ code: 'limit_exceeded' }) as Error);
    release();
    (await waiting[0]!)();
    const second = await waiting[1]!;
    await expect(waiting[2]).rejects.toMatchObject(refused);
    await expect(waiting[3]).rejects.toMatchObject(refused);
    second();
    expect(requests.snapshot()).toMatchObject({ inUse: 0, waiting: 0, refusals: 3 });
    for (const share of [requests, transactions]) {
      await share.beforeApplicationShutdown();
      share.onApplicationShutdown();
    }
  });

  it('are refused at once where they would wait in vain, and let in again as soon as they would not', async () => {
    const tenant = newId();
    const waitMs = 4_000; // known after a second
    const requests = new RedisRequestShare(redis, { REDIS_KEY_PREFIX: PREFIX, ADMISSION_WAIT_MS: waitMs });
    requests.onModuleInit();
    const limit = 3;
    const releases = await Promise.all(
      Array.from({ length: limit }, () => Promise.resolve(requests.take(tenant, limit))),
    );
    const line: Promise<ReleaseSlot>[] = [];
    for (let early = 0; early < 9; early += 1) {
      const waiting = Promise.resolve(requests.take(tenant, limit));
      waiting.catch(() => undefined);
      line.push(waiting);
    }
    expect(requests.refusal(tenant, limit)).toBeUndefined(); // nine of twelve wait, and nobody knows yet for how long
    await waitFor(() => requests.refusal(tenant, limit) !== undefined, { what: 'the line to stand' });
    const refused = { code: 'limit_exceeded', details: { limit: 'max_concurrent_requests', maximum: limit } };
    expect(requests.refusal(tenant, limit)).toMatchObject(refused);
    expect(() => requests.take(tenant, limit)).toThrow(expect.objectContaining({ code: 'limit_exceeded' }) as Error);
    expect(requests.refusal(newId(), limit)).toBeUndefined();
    for (const release of releases) release();
    for (const waiting of line) (await waiting)();
    expect(requests.refusal(tenant, limit)).toBeUndefined();
    expect(requests.snapshot()).toMatchObject({ inUse: 0, waiting: 0 });
    await requests.beforeApplicationShutdown();
    requests.onApplicationShutdown();
  });

  it('are told to who looks on, without what it takes itself', async () => {
    const tenant = newId();
    const config = {
      REDIS_KEY_PREFIX: PREFIX,
      ADMISSION_WAIT_MS: 300,
      DATABASE_TENANT_WAIT_MS: 300,
      DATABASE_POOL_SIZE: 12,
    };
    const [busy, own, ownTransactions] = [
      new RedisRequestShare(redis, config),
      new RedisRequestShare(redis, config),
      new RedisTenantShare(redis, config),
    ];
    const shares = [busy, own, ownTransactions];
    for (const share of shares) share.onModuleInit();
    const reader = new ShareReader(redis, config, own, ownTransactions);
    expect(await reader.requests(tenant)).toBe(0);
    const releases = await Promise.all([busy.take(tenant, 9), busy.take(tenant, 9), busy.take(tenant, 9)]);
    const looking = await Promise.all([own.take(tenant, 9), ownTransactions.take(tenant, 9)]);
    await waitFor(async () => (await reader.requests(tenant)) === 3, { what: 'what the other process uses' });
    expect(await reader.connections(tenant)).toBe(0);
    for (const release of [...releases, ...looking]) release();
    await waitFor(async () => (await reader.requests(tenant)) === 0, { what: 'the slots to be free' });
    for (const share of shares) {
      await share.beforeApplicationShutdown();
      share.onApplicationShutdown();
    }
  });
});
