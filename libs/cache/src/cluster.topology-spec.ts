/** The cache over a Redis Cluster: coherent for tenants on each of its nodes. Needs dist. */
import { newId } from '#libs/kernel';
import { connectRedis, isConnected, type RedisClient, redisKey } from '#libs/redis';
import { type LocalRedis, type LocalRedisCluster, startRedisCluster, waitFor } from '#libs/testing';
import { expectCoherence, PREFIX } from '../test/coherence';

const NODES = 3;

describe('what processes read of a cached value over a Redis Cluster', () => {
  let cluster: LocalRedisCluster;
  let redis: RedisClient;

  beforeAll(async () => {
    cluster = await startRedisCluster();
    redis = connectRedis(cluster.url, 'queue');
    redis.on('error', () => undefined);
    await waitFor(() => isConnected(redis), { what: 'the cluster', intervalMs: 10 });
  }, 60_000);

  afterAll(async () => {
    redis.disconnect();
    await cluster.remove();
  });

  it('is never older than it may be, whichever node the tenant is on', async () => {
    const tenants = new Map<LocalRedis, string>();
    while (tenants.size < NODES) {
      const id = newId();
      tenants.set(await cluster.nodeOfKey(redisKey(PREFIX, 'cache', id)), id);
    }
    for (const id of tenants.values()) await expectCoherence(cluster.url, redis, id);
  }, 120_000);
});
