/** The cache over a Redis Cluster of three nodes: what is asked for at once lives on all of them. */
import { newId } from '#libs/kernel';
import { type LocalRedisCluster, startRedisCluster } from '#libs/testing';
import { defineNamespace } from '../src/cache-namespace';
import { StandaloneCache } from './standalone-cache';

const options = { ttlMs: 60_000, tags: (key: string) => ['all', `tag-of-${key}`] };
const NAMESPACES = [
  defineNamespace<string>({ ...options, name: 'test.plain' }),
  defineNamespace<string>({ ...options, name: 'test.aged', staleMs: 60_000 }),
];
const TENANTS = Array.from({ length: 12 }, () => newId());
const KEYS = ['a', 'b', 'c'];

describe('the tenant cache over a Redis Cluster', () => {
  let cluster: LocalRedisCluster;
  const processes: StandaloneCache[] = [];

  beforeAll(async () => {
    cluster = await startRedisCluster();
    for (let n = 0; n < 2; n += 1) processes.push(new StandaloneCache({ url: cluster.url, prefix: 'cluster-test' }));
    await Promise.all(processes.map((process) => process.ready()));
  });

  afterAll(async () => {
    for (const { redis } of processes) redis.disconnect();
    await cluster.remove();
  });

  const readAll = (process: StandaloneCache, round: string): Promise<(string | undefined)[]> =>
    Promise.all(
      TENANTS.flatMap((tenant) =>
        NAMESPACES.flatMap((namespace) =>
          KEYS.map((key) => {
            const load = () => Promise.resolve(`${round} ${tenant} ${namespace.name} ${key}`);
            return process.as(tenant, (cache) => cache.get(namespace, key, load));
          }),
        ),
      ),
    );

  it('answers each read with what is its own, and nothing that was invalidated', async () => {
    const [one, two] = processes as [StandaloneCache, StandaloneCache];
    const first = await readAll(one, 'first');
    const [changed, emptied] = TENANTS as [string, string];
    await one.as(changed, (cache) => cache.invalidateTags(['tag-of-b']));
    await one.as(emptied, (cache) => cache.invalidate(NAMESPACES[1]!));
    const expected = first.map((value) => {
      const [, tenant, name, key] = value!.split(' ');
      const isOld = (tenant === changed && key === 'b') || (tenant === emptied && name === 'test.aged');
      return isOld ? value!.replace('first', 'second') : value;
    });
    expect(await readAll(two, 'second')).toEqual(expected);
    const all = TENANTS.length * NAMESPACES.length * KEYS.length;
    expect(two.cache.statistics.sum()).toMatchObject({ hit_far: all - 5, miss: 5, bypassed: 0 });
  });
});
