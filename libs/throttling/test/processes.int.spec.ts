/** Eight processes with clocks that are days apart take from the same limits; then Redis is taken away. */
import { newId } from '#libs/kernel';
import { redisKey } from '#libs/redis';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/testing';
import { type PolicyName, POLICIES } from '../src/policy';
import { type Found, Taker, takeTogether } from './takers';

const PREFIX = 'processes-test';
const PROCESSES = 8;
const CLOCK_MS = 150;

describe('eight processes', () => {
  let server: LocalRedis;
  let takers: Taker[] = [];

  beforeAll(async () => {
    server = await startLocalRedis();
    takers = await Taker.start(PROCESSES, server.url, PREFIX);
  });

  afterAll(async () => {
    for (const taker of takers) taker.kill();
    await server.remove();
  });

  const key = (name: string): string => redisKey(PREFIX, 'limits', newId(), name);
  /**
   * As many as were surely decided within a stretch that began with any of them. Redis reads its clock before it works off what has
   * come meanwhile, so its time is behind this machine's by as long as that may take.
   */
  const most = ({ admitted }: Found, length: number): number =>
    Math.max(
      ...admitted.map(
        ([from]) => admitted.filter(([asked, answered]) => asked >= from && answered < from + length - CLOCK_MS).length,
      ),
    );

  it.each(['api', 'export', 'auth', 'api_calls_per_hour'] as const)(
    'are admitted exactly the limit together, whatever their clocks say: %s',
    async (policy) => {
      const windowMs = 30 * 24 * 3_600_000; // of which `aligned` ends every 30 days
      const found = await takeTogether(takers, { policy, limit: 500, key: key(policy), windowMs, attempts: 400 });
      expect(found.admitted).toHaveLength(500);
      expect(found.refused).toBe(PROCESSES * 400 - 500);
      expect(found.by.insurance).toBeUndefined();
    },
  );

  it.each(['api', 'export', 'auth'] as const)(
    'are admitted no more than the limit in any window: %s',
    async (policy) => {
      const [limit, windowMs] = [60, 600];
      const found = await takeTogether(takers, {
        policy,
        limit,
        key: key(policy),
        windowMs,
        attempts: 3,
        forMs: 2_500,
      });
      expect(found.by.insurance).toBeUndefined();
      // A fixed window is followed by another: a stretch that is none of them may see parts of two.
      expect(most(found, windowMs)).toBeLessThanOrEqual(POLICIES[policy].window === 'fixed' ? 2 * limit : limit);
      const windows = 2_500 / windowMs;
      expect(found.admitted.length).toBeLessThanOrEqual(Math.ceil(windows + 1) * limit);
      expect(found.admitted.length).toBeGreaterThanOrEqual(Math.floor(windows) * limit);
    },
  );

  it('divide limits while Redis is away, each admitting its part, and count together again when it is back', async () => {
    const strangers = await Taker.start(4, server.url, 'insurance-test', 50);
    try {
      const all = async () => (await Promise.all(strangers.map((one) => one.replicas()))).every((count) => count === 4);
      await waitFor(all, { what: 'all to have heard of each other' });
      const at = (name: string): string => redisKey('insurance-test', 'limits', newId(), name);
      await server.kill();
      const take = (policy: PolicyName, limit: number) =>
        takeTogether(strangers, { policy, limit, key: at(policy), attempts: 2 * limit });
      const began = performance.now();
      expect((await take('api', 100)).admitted).toHaveLength(4 * 25);
      expect((await take('auth', 40)).admitted).toHaveLength(4 * 5);
      expect((await take('api', 3)).admitted).toHaveLength(4); // at least one each
      const exports = await take('export', 10);
      expect(exports.admitted).toEqual([]);
      expect(new Set(exports.failed)).toEqual(new Set(['rate_limits_unavailable']));
      expect(performance.now() - began).toBeLessThan(2_000);
      await server.start();
      await waitFor(async () => (await take('export', 1)).admitted.length === 1, { what: 'Redis to count again' });
      const exact = async () => {
        const found = await take('api', 50);
        return found.admitted.length === 50 && found.by.insurance === undefined;
      };
      await waitFor(exact, { what: 'limits to be exact again', timeoutMs: 20_000 });
    } finally {
      await Promise.all(strangers.map((one) => one.stop()));
    }
  });

  it('know how many they are, and forget who left', async () => {
    const prefix = 'replicas-test';
    await server.start();
    const some = await Taker.start(3, server.url, prefix);
    const counts = () => Promise.all(some.map((one) => one.replicas()));
    await waitFor(async () => (await counts()).every((count) => count === 3), { what: 'three' });
    await some.pop()!.stop();
    await waitFor(async () => (await counts()).every((count) => count === 2), { what: 'two', timeoutMs: 20_000 });
    await Promise.all(some.map((one) => one.stop()));
  });
});
