/** Rate limits over a Redis Cluster of three nodes: exact among processes; a node that is away costs its own tenants alone. */
import { Logger } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { connectRedis, isConnected, keySlot, type RedisClient, redisKey, serverOfKey } from '#libs/redis';
import { type LocalRedis, type LocalRedisCluster, startRedisCluster, waitFor } from '#libs/testing';
import { type Check, POLICIES, type PolicyName } from '../src/policy';
import { RedisThrottlerStorage } from '../src/redis-throttler.storage';
import { Replicas } from '../src/replicas';
import { Taker, takeTogether } from './takers';

const PREFIX = 'cluster-test';
const CONFIG = { REDIS_KEY_PREFIX: PREFIX, RATE_LIMIT_MEMORY_MS: 3_600_000, RATE_LIMIT_REPLICAS: 1 };

describe('rate limits over a Redis Cluster', () => {
  let cluster: LocalRedisCluster;
  let redis: RedisClient;
  let replicas: Replicas;
  let storage: RedisThrottlerStorage;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    cluster = await startRedisCluster();
    redis = connectRedis(cluster.url, 'fast');
    redis.on('error', () => undefined);
    replicas = new Replicas(redis, CONFIG);
    replicas.onModuleInit();
    storage = new RedisThrottlerStorage(redis, CONFIG, replicas);
    await waitFor(() => isConnected(redis), { what: 'the cluster', intervalMs: 10 });
  });

  afterAll(async () => {
    await replicas.beforeApplicationShutdown();
    redis.disconnect();
    await cluster.remove();
    Logger.overrideLogger(true);
  });

  const checksOf = (organization: string, limits: Partial<Record<PolicyName, number>>): Check[] =>
    (Object.entries(limits) as [PolicyName, number][]).map(([name, limit]) => ({
      policy: POLICIES[name],
      limit,
      key: redisKey(PREFIX, 'limits', organization, name),
    }));

  it('finds the slot of a key as Redis does', async () => {
    for (const key of ['a', '{x}y', 'y{x}', '{}x', 'ä{ö}', '{', '', ...Array.from({ length: 50 }, () => newId())])
      expect([key, await redis.cluster('KEYSLOT', key)]).toEqual([key, keySlot(key)]);
  });

  it('takes all policies of a tenant in one call, of tenants on every node', async () => {
    const servers = new Set<string>();
    for (let n = 0; n < 30; n += 1) {
      const checks = checksOf(newId(), { api: 3, api_calls_per_hour: 100, export: 2 });
      servers.add(serverOfKey(redis, checks[0]!.key));
      const admitted = [];
      for (let i = 0; i < 3; i += 1) admitted.push((await storage.take(checks)).admitted);
      expect(admitted).toEqual([true, true, false]);
    }
    expect(servers.size).toBe(3);
    expect(storage.insured).toBe(false);
  });

  it('sends what comes in one turn tenant by tenant, as the keys of one share a slot', async () => {
    const checks = Array.from({ length: 20 }, () => checksOf(newId(), { api: 2, export: 100 }));
    expect(new Set(checks.map(([first]) => serverOfKey(redis, first!.key))).size).toBe(3);
    const sent = jest.spyOn(redis, 'sendCommand');
    const verdicts = await Promise.all([...checks, ...checks, ...checks].map((one) => storage.take(one)));
    expect(sent.mock.calls.map(([{ name }]) => name)).toEqual(checks.map(() => 'evalsha'));
    sent.mockRestore();
    expect(new Set(verdicts.map(({ by }) => by))).toEqual(new Set(['redis']));
    expect(verdicts.map(({ admitted, measures }) => [admitted, ...measures.map(({ used }) => used)])).toEqual(
      [
        [true, 1, 1],
        [true, 2, 2],
        [false, 2, 2],
      ].flatMap((verdict) => checks.map(() => verdict)),
    );
  });

  it('is exact among eight processes', async () => {
    const takers = await Taker.start(8, cluster.url, PREFIX);
    try {
      for (const policy of ['api', 'export', 'auth', 'api_calls_per_hour'] as const) {
        const windowMs = 30 * 24 * 3_600_000;
        const key = redisKey(PREFIX, 'limits', newId(), policy);
        const found = await takeTogether(takers, { policy, limit: 200, key, windowMs, attempts: 100 });
        expect([policy, found.admitted.length, found.by.insurance]).toEqual([policy, 200, undefined]);
      }
    } finally {
      await Promise.all(takers.map((taker) => taker.stop()));
    }
  });

  it('counts the tenants of a node that is away locally, at once, and those of the others as ever', async () => {
    const victim: LocalRedis = cluster.nodes[1]!;
    const organizations = Array.from({ length: 30 }, () => newId());
    const nodes = await Promise.all(
      organizations.map((organization) => cluster.nodeOfKey(redisKey(PREFIX, 'limits', organization, 'api'))),
    );
    const [lost, served] = [true, false].map((gone) =>
      organizations.filter((_, index) => (nodes[index] === victim) === gone),
    ) as [string[], string[]];
    const take = (organization: string) => storage.take(checksOf(organization, { api: 1_000 }));
    await victim.kill('SIGSTOP'); // it does not even refuse
    try {
      const began = performance.now();
      for (const organization of lost) expect((await take(organization)).by).toBe('insurance');
      expect(performance.now() - began).toBeLessThan(300); // 50 ms, and the scheduling of a busy machine
      for (const organization of served) expect((await take(organization)).by).toBe('redis');
      const inOneTurn = await Promise.all(organizations.map(take));
      expect(inOneTurn.map(({ by }) => by)).toEqual(
        organizations.map((organization) => (lost.includes(organization) ? 'insurance' : 'redis')),
      );
      await expect(storage.take(checksOf(lost[0]!, { export: 10 }))).rejects.toMatchObject({
        code: 'rate_limits_unavailable',
      });
    } finally {
      await victim.kill('SIGCONT');
    }
    await cluster.settled();
    const back = async () => (await take(lost[0]!)).by === 'redis';
    await waitFor(back, { what: 'the node to count again', timeoutMs: 20_000, intervalMs: 50 });
  });
});
