import { waitFor } from './wait-for';
import { Cluster } from 'ioredis';
import { identifyProcess } from './process-identity';
import { type LocalRedisCluster, startRedisCluster } from './local-redis-cluster';

describe('a local Redis Cluster', () => {
  let cluster: LocalRedisCluster;
  let client: Cluster;

  beforeAll(async () => {
    cluster = await startRedisCluster({ replicas: 1 });
    client = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
    client.on('error', () => undefined);
  });

  afterAll(async () => {
    client.disconnect();
    const pids = cluster.nodes.map(({ pid }) => pid ?? 0);
    await cluster.remove();
    for (const pid of pids) expect(identifyProcess(pid)).toBeUndefined();
  });

  it('serves keys of every slot, spread over its masters', async () => {
    for (let n = 0; n < 100; n += 1) await client.set(`key-${n}`, n);
    const sizes = await Promise.all(client.nodes('master').map((node) => node.dbsize()));
    expect(sizes).toHaveLength(3);
    expect(Math.min(...sizes)).toBeGreaterThan(10);
    expect(await client.get('key-7')).toBe('7');
  });

  it('says which node a key lives on, also after a replica took over from a killed master', async () => {
    const before = await cluster.nodeOfKey('{moved}:key');
    expect(cluster.nodes.indexOf(before)).toBeLessThan(3);
    await before.kill();
    await cluster.settled();
    const after = await cluster.nodeOfKey('{moved}:key');
    expect(cluster.nodes.indexOf(after)).toBeGreaterThanOrEqual(3);
    const served = async () => (await client.incr('{moved}:key')) > 0;
    await waitFor(served, { what: 'the client to find the new master', timeoutMs: 10_000 });
    await before.start();
    await cluster.settled();
  });
});
