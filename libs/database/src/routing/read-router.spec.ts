import fc from 'fast-check';
import type { ConsistencyToken } from '#libs/tenancy';
import { answer, node, position, primaryAt, refuse, shardOf, standbyAt, timeline } from '../../test/cluster-of-nodes';
import type { DatabaseNode } from '../shards/database-node';
import type { Shard } from '../shards/shard';
import { routeRead, routeToPrimary } from './read-router';

const EPOCH = 7;
const NONE: ReadonlySet<DatabaseNode> = new Set();

const tokenAt = (at: number, change: Partial<ConsistencyToken> = {}): ConsistencyToken => ({
  ...{ shard: 'main', epoch: EPOCH, timeline: timeline(1), position: position(at) },
  ...change,
});

const seen = (token?: ConsistencyToken, proven = true) => ({ token, proven });

describe('the read router', () => {
  let [a, b, c]: DatabaseNode[] = [];
  let shard: Shard;

  /** Primary `a` at 100 on timeline 1, replicas `b` at 100 and `c` at 80. */
  beforeEach(() => {
    [a, b, c] = [node('a'), node('b'), node('c', false)];
    shard = shardOf([a, b, c], 1_000_000);
    answer(shard, a, primaryAt(100), performance.now());
    answer(shard, b, standbyAt(100), performance.now());
    answer(shard, c, standbyAt(80), performance.now());
  });

  it('takes a replica that has replayed the token, and has the flight check it', () => {
    const route = routeRead(shard, EPOCH, seen(tokenAt(90)), NONE);
    expect(route).toEqual({ node: b, reason: 'replica', mustHaveReplayed: '00000000/0000005A', standsIn: false });
  });

  it('takes the replica with the fewest reads under way, and each of equals now and then', () => {
    b!.outstanding = 3;
    c!.outstanding = 2;
    expect(routeRead(shard, EPOCH, seen(tokenAt(10)), NONE).node).toBe(c);
    c!.outstanding = 3;
    const chosen = new Set(Array.from({ length: 100 }, () => routeRead(shard, EPOCH, seen(tokenAt(10)), NONE).node));
    expect(chosen).toEqual(new Set([b, c]));
  });

  it.each([
    ['no_token', seen(), 'nothing is known of the caller'],
    ['no_token', seen(undefined, false), 'nobody could be asked'],
    ['token_void', seen(tokenAt(10, { epoch: EPOCH - 1 })), 'the token is of an older epoch'],
    ['token_void', seen(tokenAt(10, { timeline: timeline(2) })), 'the token is of another timeline'],
    ['token_void', seen(tokenAt(10, { shard: 'two' })), 'the token is of another shard'],
    ['behind', seen(tokenAt(101)), 'no replica has replayed the token'],
  ])('has the primary stand in: %s, where %3$s', (reason, what) => {
    expect(routeRead(shard, EPOCH, what, NONE)).toEqual({
      node: a,
      reason,
      mustHaveReplayed: undefined,
      standsIn: true,
    });
  });

  it('has the primary stand in where no replica is up and young enough, or all have been tried', () => {
    expect(routeRead(shard, EPOCH, seen(tokenAt(10)), new Set([b!, c!]))).toMatchObject({
      node: a,
      reason: 'no_replica',
    });
    refuse(shard, b!);
    refuse(shard, c!);
    expect(routeRead(shard, EPOCH, seen(tokenAt(10)), NONE)).toMatchObject({ node: a, reason: 'no_replica' });
  });

  it('asks the only node without a gate', () => {
    const alone = shardOf([a!]);
    alone.refresh(0);
    for (const route of [routeRead(alone, EPOCH, seen(), NONE), routeToPrimary(alone)]) {
      expect(route).toEqual({ node: a, reason: 'only_node', mustHaveReplayed: undefined, standsIn: false });
    }
  });

  it('gives a read that wants the newest to the primary, and to the newest replica while there is none', () => {
    expect(routeToPrimary(shard)).toMatchObject({ node: a, reason: 'primary_wanted', standsIn: false });
    refuse(shard, a!);
    expect(routeToPrimary(shard)).toMatchObject({ node: b, reason: 'no_primary', mustHaveReplayed: undefined });
    refuse(shard, b!);
    refuse(shard, c!);
    expect(() => routeToPrimary(shard)).toThrow(expect.objectContaining({ code: 'database_unavailable' }));
  });

  describe('while there is no primary', () => {
    beforeEach(() => refuse(shard, a!));

    it('lets replicas answer whom they may, and tries the newest for a token that none is known to have', () => {
      expect(routeRead(shard, EPOCH, seen(tokenAt(95)), NONE)).toMatchObject({ node: b, reason: 'no_primary' });
      const tried = routeRead(shard, EPOCH, seen(tokenAt(150)), NONE);
      expect(tried).toMatchObject({ node: b, reason: 'no_primary', mustHaveReplayed: '00000000/00000096' });
    });

    it('lets the newest replica answer who has seen nothing, and nobody of whom that is not known', () => {
      expect(routeRead(shard, EPOCH, seen(), NONE)).toMatchObject({ node: b, reason: 'no_primary' });
      for (const what of [
        seen(undefined, false),
        seen(tokenAt(1, { epoch: 1 })),
        seen(tokenAt(1, { timeline: '0' })),
      ]) {
        expect(() => routeRead(shard, EPOCH, what, NONE)).toThrow(
          expect.objectContaining({ code: 'database_unavailable' }),
        );
      }
    });
  });

  it('never takes a replica that is down, too old, tried before or known to be behind, whatever the cluster is like', () => {
    const nodes = fc.record({ up: fc.boolean(), at: fc.nat(60), outstanding: fc.nat(3), tried: fc.boolean() });
    const world = fc.record({
      replicas: fc.array(nodes, { minLength: 1, maxLength: 4 }),
      primaryAt: fc.integer({ min: 30, max: 60 }),
      token: fc.option(fc.record({ at: fc.nat(70), timeline: fc.integer({ min: 1, max: 2 }) })),
      maxLagMs: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(world, ({ replicas, primaryAt: now, token, maxLagMs }) => {
        const primary = node('p');
        const others = replicas.map((_, index) => node(`r${index}`, false));
        const cluster = shardOf([primary, ...others], maxLagMs);
        // The primary went one position a millisecond, and is there just now.
        const began = performance.now() - now;
        for (let at = 0; at <= now; at += 1) answer(cluster, primary, primaryAt(at), began + at);
        for (const [index, { up, at, outstanding }] of replicas.entries()) {
          const replica = others[index]!;
          answer(cluster, replica, standbyAt(Math.min(at, now)), began + now);
          replica.outstanding = outstanding;
          if (!up) refuse(cluster, replica, began + now);
        }
        const tried = new Set(others.filter((_, index) => replicas[index]!.tried));
        const known = token ? tokenAt(token.at, { timeline: timeline(token.timeline) }) : undefined;
        const route = routeRead(cluster, EPOCH, seen(known), tried);
        if (route.node === primary) {
          expect(route).toMatchObject({ standsIn: true, mustHaveReplayed: undefined });
          return;
        }
        const index = others.indexOf(route.node);
        const { at, up, outstanding } = replicas[index]!;
        const replayed = Math.min(at, now);
        expect([up, tried.has(route.node), token?.timeline]).toEqual([true, false, 1]);
        expect(replayed).toBeGreaterThanOrEqual(token!.at);
        expect(now - replayed).toBeLessThanOrEqual(maxLagMs + 1);
        expect(route.mustHaveReplayed).toBe(`00000000/${position(token!.at).slice(8)}`);
        const able = cluster
          .usableReplicas(performance.now())
          .filter((other) => !tried.has(other) && other.state.position >= position(token!.at));
        for (const other of able) expect(outstanding).toBeLessThanOrEqual(other.outstanding);
      }),
      { numRuns: 300 },
    );
  });
});
