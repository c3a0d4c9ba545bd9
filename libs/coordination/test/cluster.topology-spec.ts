/** Coordination over a Redis Cluster: shares exact, tokens greatest, and a node that is away costs its own tenants alone. */
import { Logger } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { connectRedis, isConnected, type RedisClient } from '#libs/redis';
import { tokenRank } from '#libs/tenancy';
import { type LocalRedis, type LocalRedisCluster, startRedisCluster, waitFor } from '#libs/testing';
import { leasesKey, processesKey } from '../src/coordination-keys';
import { RedisTenantShare } from '../src/share/redis-tenant-share';
import { RedisTokenKeeper } from '../src/tokens/redis-token-keeper';

const PREFIX = 'coordination-cluster';
const CONFIG = { REDIS_KEY_PREFIX: PREFIX, DATABASE_TENANT_WAIT_MS: 20_000, DATABASE_POOL_SIZE: 1_000 };
const PROCESSES = 3;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function token(position: number) {
  const hex = position.toString(16).toUpperCase().padStart(16, '0');
  return {
    rank: tokenRank({ shard: 'main', epoch: 1, timeline: '00000001', position: hex }),
    sealed: `at ${position}`,
  };
}

describe('coordination over a Redis Cluster', () => {
  let cluster: LocalRedisCluster;
  let clients: RedisClient[];
  let shares: RedisTenantShare[];
  let keepers: RedisTokenKeeper[];

  const open = async () => {
    const client = connectRedis(cluster.url, 'fast');
    client.on('error', () => undefined);
    clients.push(client);
    await waitFor(() => isConnected(client), { what: 'the cluster', intervalMs: 5 });
    return client;
  };

  beforeAll(async () => {
    Logger.overrideLogger(false);
    cluster = await startRedisCluster({ replicas: 1, args: ['--appendonly', 'yes'] });
  }, 60_000);

  beforeEach(async () => {
    clients = [];
    const opened = await Promise.all(Array.from({ length: PROCESSES }, open));
    shares = opened.map((client) => new RedisTenantShare(client, CONFIG));
    keepers = opened.map((client) => new RedisTokenKeeper(client, CONFIG));
    for (const share of shares) share.onModuleInit();
    const met = () => shares.every((share) => share.snapshot().processes === PROCESSES);
    await waitFor(met, { what: 'the processes to hear of each other', timeoutMs: 20_000 });
  });

  afterEach(async () => {
    for (const share of shares) {
      await share.beforeApplicationShutdown();
      share.onApplicationShutdown();
    }
    for (const keeper of keepers) keeper.onModuleDestroy();
    for (const client of clients) client.disconnect();
  });

  afterAll(async () => {
    await cluster.remove();
    Logger.overrideLogger(true);
  });

  /** Tenants by the node that has their leases, `each` on every node. */
  const tenantsByNode = async (each: number): Promise<Map<LocalRedis, string[]>> => {
    const found = new Map<LocalRedis, string[]>();
    while (found.size < 3 || [...found.values()].some(({ length }) => length < each)) {
      const id = newId();
      const node = await cluster.nodeOfKey(leasesKey(PREFIX, 'share', id));
      const known = found.get(node) ?? [];
      if (known.length < each) found.set(node, [...known, id]);
    }
    return found;
  };

  /** Many takes of each tenant from every process; resolves with the most that were ever in use, by tenant. */
  const crowd = async (tenants: readonly string[], limit: number, takes: number) => {
    const most = new Map<string, number>();
    const inUse = new Map<string, number>();
    const one = async (share: RedisTenantShare, tenant: string) => {
      const release = await share.take(tenant, limit);
      const now = (inUse.get(tenant) ?? 0) + 1;
      inUse.set(tenant, now);
      most.set(tenant, Math.max(most.get(tenant) ?? 0, now));
      await pause(5);
      inUse.set(tenant, inUse.get(tenant)! - 1);
      release();
    };
    await Promise.all(
      tenants.flatMap((tenant) => shares.flatMap((share) => Array.from({ length: takes }, () => one(share, tenant)))),
    );
    return most;
  };

  it('lets no tenant have more than its limit over all processes, on whichever node, and hears hints at once', async () => {
    const tenants = [...(await tenantsByNode(2)).values()].flat();
    const began = performance.now();
    const most = await crowd(tenants, 4, 20);
    for (const tenant of tenants) expect([tenant, most.get(tenant)]).toEqual([tenant, 4]);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(shares.map((share) => share.snapshot().refusals)).toEqual([0, 0, 0]);
  }, 60_000);

  it('keeps the greatest token of each caller, whichever process keeps it when', async () => {
    for (const tenant of [...(await tenantsByNode(1)).values()].flat()) {
      const positions = [3, 9, 1, 7, 5];
      await Promise.all(positions.map((at, index) => keepers[index % PROCESSES]!.keep(tenant, 'key:a', token(at))));
      expect(await Promise.all(keepers.map((keeper) => keeper.load(tenant, 'key:a')))).toEqual(
        Array.from({ length: PROCESSES }, () => 'at 9'),
      );
    }
  });

  it('costs only its own tenants when a node freezes, and never brings back the past when a replica takes over', async () => {
    const nodes = await tenantsByNode(2);
    const home = await cluster.nodeOfKey(processesKey(PREFIX, 'share'));
    const victim = [...nodes.keys()].find((node) => node !== home)!;
    const lost = nodes.get(victim)!;
    const served = [...nodes].filter(([node]) => node !== victim).flatMap(([, ids]) => ids);
    for (const tenant of [...lost, ...served]) await keepers[0]!.keep(tenant, 'a', token(1));
    await victim.kill('SIGSTOP');
    try {
      await expect(keepers[0]!.keep(lost[0]!, 'a', token(2))).rejects.toMatchObject({
        code: 'token_keeper_unavailable',
      });
      for (const tenant of served) expect(await keepers[0]!.load(tenant, 'a')).toBe('at 1');
      const most = await crowd(served, 3, 10);
      for (const tenant of served) expect(most.get(tenant)).toBe(3);
      const insured = await crowd(lost, 3, 5);
      for (const tenant of lost) expect(insured.get(tenant)).toBeLessThan(3 + PROCESSES);
    } finally {
      await victim.kill('SIGKILL');
    }
    const seen = new Set<string | undefined>();
    const paid = async () => {
      const tokens = await Promise.all(keepers.map((keeper) => keeper.load(lost[0]!, 'a').catch(() => undefined)));
      tokens.forEach((each) => seen.add(each));
      return tokens.every((each) => each === 'at 2');
    };
    await waitFor(paid, { what: 'the token that was owed', timeoutMs: 30_000, intervalMs: 5 });
    expect(seen).toEqual(new Set([undefined, 'at 2']));
    await pause(2_000); // each has registered what it uses with the new master
    const exact = await crowd(lost, 3, 10);
    for (const tenant of lost) expect(exact.get(tenant)).toBe(3);
    await victim.start();
    await cluster.settled();
  }, 120_000);
});
