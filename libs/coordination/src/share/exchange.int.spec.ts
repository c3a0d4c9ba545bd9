import { join } from 'node:path';
import { newId } from '#libs/kernel';
import { LuaScript } from '#libs/redis';
import { type LocalRedis, startLocalRedis } from '#libs/testing';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { leasesKey } from '../coordination-keys';
import { TURN_MS } from './lease';

type Reply = readonly [leased: number, allowance: number, pressed: number, known: number];
interface Process {
  leased: number;
  inUse: number;
  demand: number;
  allowance: number;
}

const PREFIX = 'exchange-test';
const LEASE_MS = 60_000;
const EXCHANGE = LuaScript.fromFile<Reply>(join(__dirname, 'exchange.lua'), 1);

/** Max-min fair shares by definition: a unit at a time to whoever has least and wants more. */
function fairShares(demands: readonly number[], limit: number): number[] {
  const shares = demands.map(() => 0);
  for (let left = limit; left > 0; left -= 1) {
    const open = demands.flatMap((demand, index) => (shares[index]! < demand ? [index] : []));
    if (open.length === 0) break;
    const least = open.reduce((best, index) => (shares[index]! < shares[best]! ? index : best));
    shares[least]! += 1;
  }
  return shares;
}

const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

describe('the exchange of leases', () => {
  let server: LocalRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startLocalRedis();
    redis = new Redis(server.url);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.remove();
  });

  const exchange = (
    tenant: string,
    process: string,
    numbers: { held: number; demand: number; wanted?: number; limit: number; leaseMs?: number; turnMs?: number },
  ) => {
    const { held, demand, wanted = demand, limit, leaseMs = LEASE_MS, turnMs = LEASE_MS } = numbers;
    const key = leasesKey(PREFIX, 'share', tenant);
    return EXCHANGE.run(redis, [key, process, held, demand, wanted, limit, leaseMs, turnMs, 'hints:', tenant]);
  };

  const step = fc.record({
    process: fc.nat(4),
    demand: fc.nat(9),
    use: fc.nat(9),
    keep: fc.nat(9),
    limit: fc.option(fc.nat(9), { nil: undefined, freq: 8 }),
  });

  it('never lets leases sum to more than the limit, unless they did before it was lowered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        const tenant = newId();
        const processes = Array.from({ length: 5 }, (): Process => ({ leased: 0, inUse: 0, demand: 0, allowance: 99 }));
        const sum = () => processes.reduce((total, { leased }) => total + leased, 0);
        let limit = 6;
        for (const { process: index, demand, use, keep, limit: changed } of steps) {
          limit = changed ?? limit;
          const process = processes[index]!;
          const before = sum();
          const held = Math.min(process.leased, use);
          const wanted = Math.max(demand, held, keep);
          const numbers = { held, demand: Math.max(demand, held), wanted, limit };
          const [leased, , , known] = await exchange(tenant, `p${index}`, numbers);
          expect(known).toBe(process.leased > 0 || process.demand > 0 ? 1 : 0);
          Object.assign(process, { leased, demand: numbers.demand });
          expect(leased).toBeGreaterThanOrEqual(held);
          expect(leased).toBeLessThanOrEqual(wanted);
          expect(sum()).toBeLessThanOrEqual(Math.max(limit, before));
          if (leased > held) expect(sum()).toBeLessThanOrEqual(limit);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('comes to max-min fair shares, whatever was leased before, once everybody has given back and asked', async () => {
    const demands = fc.array(fc.nat(12), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(demands, demands, fc.nat(12), async (before, after, limit) => {
        const tenant = newId();
        const processes = after.map((): Process => ({ leased: 0, inUse: 0, demand: 0, allowance: limit }));
        const ask = async (index: number, demand: number) => {
          const process = processes[index]!;
          const held = Math.min(process.leased, demand, process.allowance);
          const [leased, allowance] = await exchange(tenant, `p${index}`, { held, demand, limit });
          Object.assign(process, { leased, allowance });
        };
        for (const [index] of after.entries()) await ask(index, before[index] ?? 0);
        // All tell their demands, hear their allowances, give back, take.
        for (let round = 0; round < 4; round += 1)
          for (const [index, demand] of after.entries()) await ask(index, demand);
        const leases = processes.map(({ leased }) => leased);
        expect(ascending(leases)).toEqual(ascending(fairShares(after, limit)));
      }),
      { numRuns: 150 },
    );
  });

  it('lets idle slots be kept until another process needs them, and tells who holds them', async () => {
    const tenant = newId();
    expect(await exchange(tenant, 'a', { held: 0, demand: 1, wanted: 5, limit: 5 })).toEqual([5, 5, 0, 0]);
    const listener = redis.duplicate();
    await listener.subscribe('hints:a', 'hints:b');
    const heard: string[] = [];
    listener.on('message', (channel: string, message: string) => heard.push(`${channel} ${message}`));
    expect(await exchange(tenant, 'b', { held: 0, demand: 2, limit: 5 })).toEqual([0, 5, 0, 0]);
    expect(await exchange(tenant, 'a', { held: 1, demand: 1, wanted: 5, limit: 5 })).toEqual([3, 5, 1, 1]);
    expect(await exchange(tenant, 'b', { held: 0, demand: 2, limit: 5 })).toEqual([2, 5, 0, 1]);
    await listener.ping();
    expect(heard).toEqual([`hints:a ${tenant} 5`, `hints:b ${tenant} 5`]);
    listener.disconnect();
  });

  it('passes a slot round among more processes than there are slots', async () => {
    const tenant = newId();
    const names = ['a', 'b', 'c', 'd'];
    const leases = new Map(names.map((name) => [name, 0]));
    const turns: string[] = [];
    const end = performance.now() + 30_000;
    while (new Set(turns.slice(-8)).size < 4 || turns.length < 16) {
      if (performance.now() > end) throw new Error(`The turns were ${turns.join(' ')}.`);
      for (const name of names) {
        const [leased, allowance] = await exchange(tenant, name, {
          held: leases.get(name)!,
          demand: 3,
          limit: 1,
          turnMs: TURN_MS,
        });
        const kept = Math.min(leased, allowance); // one that is over gives back with its next word
        if (kept > leases.get(name)!) turns.push(name);
        leases.set(name, kept);
      }
    }
    for (let i = 4; i < turns.length; i += 1) expect(turns[i]).toBe(turns[i - 4]);
  });

  it('gives the slots of a process that fell silent to others when its lease ends, by the clock of Redis', async () => {
    const tenant = newId();
    await exchange(tenant, 'dead', { held: 0, demand: 4, limit: 4, leaseMs: 200 });
    expect((await exchange(tenant, 'live', { held: 0, demand: 4, limit: 4 }))[0]).toBe(0);
    let leased = 0;
    const end = performance.now() + 10_000;
    while (leased < 4 && performance.now() < end)
      [leased] = await exchange(tenant, 'live', { held: leased, demand: 4, limit: 4 });
    expect(leased).toBe(4);
    expect(await redis.hlen(leasesKey(PREFIX, 'share', tenant))).toBe(1);
  });

  it('registers what is in use even beyond the limit, and then grants nothing until there is room', async () => {
    const tenant = newId();
    await exchange(tenant, 'a', { held: 0, demand: 3, limit: 3 });
    expect(await exchange(tenant, 'returned', { held: 2, demand: 2, limit: 3 })).toMatchObject([2, {}, {}, 0]);
    expect((await exchange(tenant, 'a', { held: 2, demand: 3, limit: 3 }))[0]).toBe(2);
    expect((await exchange(tenant, 'returned', { held: 1, demand: 2, limit: 3 }))[0]).toBe(1);
  });

  it('leaves no key behind when nothing is held or wanted', async () => {
    const tenant = newId();
    await exchange(tenant, 'a', { held: 0, demand: 2, limit: 3 });
    expect(await redis.pttl(leasesKey(PREFIX, 'share', tenant))).toBeGreaterThan(0);
    await exchange(tenant, 'a', { held: 0, demand: 0, limit: 3 });
    expect(await redis.exists(leasesKey(PREFIX, 'share', tenant))).toBe(0);
  });
});
