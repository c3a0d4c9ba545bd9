import { setImmediate as turn } from 'node:timers/promises';
import type { ReleaseSlot, TenantContextHolder } from '#libs/tenancy';
import { answer, node, primaryAt, shardOf, standbyAt } from '../../test/cluster-of-nodes';
import type { Shard } from '../shards/shard';
import type { Shards } from '../shards/shards.service';
import type { Place } from './place';
import type { NodeFlights } from './node-flights';
import { ReadRoutes, type ReadTarget } from './read-routes';
import type { ReadStatistics } from './read-statistics';
import type { TenantEntrance } from './tenant-entrance';

/** Of the gate of `shardOf`. */
const GATE = 4;

describe('reads that the primary answers in place of replicas', () => {
  let shard: Shard;
  let routes: ReadRoutes;
  /** Who waits for its tenant's share. */
  let waiting: { tenant: string; go: (release: ReleaseSlot) => void }[];
  const used = new Map<string, number>();

  /** A share of one for each tenant. */
  const slot = ({ organizationId: tenant }: Place): ReleaseSlot | Promise<ReleaseSlot> => {
    const release = () => {
      const at = waiting.findIndex((one) => one.tenant === tenant);
      if (at < 0) used.set(tenant, 0);
      else waiting.splice(at, 1)[0]!.go(release);
    };
    if (used.get(tenant)) return new Promise((go) => waiting.push({ tenant, go }));
    used.set(tenant, 1);
    return release;
  };

  beforeEach(() => {
    const [primary, replica] = [node('a'), node('b', false)];
    shard = shardOf([primary, replica]);
    answer(shard, primary, primaryAt(100));
    answer(shard, replica, standbyAt(100));
    waiting = [];
    used.clear();
    // Nobody knows what this caller has seen, so only the primary will do.
    const consistency = { seen: () => Promise.resolve({ token: undefined, proven: false }) };
    routes = new ReadRoutes(
      { consistency: () => consistency } as unknown as TenantContextHolder,
      { slot } as unknown as TenantEntrance,
      { count: () => undefined } as unknown as ReadStatistics,
      {} as Shards,
      {} as NodeFlights,
    );
  });

  /** A read that is under way until `end`. */
  const read = (tenant: string) => {
    let end!: () => void;
    const held = new Promise<void>((resolve) => (end = resolve));
    let isIn = false;
    const charged = { organizationId: tenant, actor: { type: 'system', id: null } } as const;
    const place = {
      organizationId: tenant,
      charged,
      shard,
      epoch: 1,
      fresh: true,
      isOperators: false,
      limits: undefined,
    };
    const done = routes.elsewhere(place, false, async ({ release }: ReadTarget) => {
      isIn = true;
      await held.finally(release);
    });
    return { end, done, isIn: () => isIn };
  };
  const settle = async () => {
    for (let n = 0; n < 10; n += 1) await turn();
  };

  it('leave room for others, however many of one tenant wait for its share', async () => {
    const crowd = Array.from({ length: GATE * 5 }, () => read('crowd'));
    await settle();
    expect([crowd.filter(({ isIn }) => isIn()).length, shard.fallback.used]).toEqual([1, 1]);
    const others = ['b', 'c', 'd'].map(read);
    await settle();
    expect(others.map(({ isIn }) => isIn())).toEqual([true, true, true]);
    for (const { end } of [...crowd, ...others]) end();
    await Promise.all([...crowd, ...others].map(({ done }) => done));
    expect([shard.fallback.used, [...used.values()]]).toEqual([0, [0, 0, 0, 0]]);
  });

  it('give the share back where the gate refuses them', async () => {
    const inside = ['a', 'b', 'c', 'd'].map(read);
    await settle();
    await expect(read('e').done).rejects.toMatchObject({ code: 'replicas_behind' });
    expect(used.get('e')).toBe(0);
    for (const { end } of inside) end();
    await Promise.all(inside.map(({ done }) => done));
  });
});
