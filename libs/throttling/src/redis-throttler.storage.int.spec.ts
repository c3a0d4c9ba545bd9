import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { redisKey, redisOptions } from '#libs/redis';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/testing';
import { Redis, type RedisOptions } from 'ioredis';
import { type Check, POLICIES, type Policy, type PolicyName } from './policy';
import { RedisThrottlerStorage } from './redis-throttler.storage';

const PREFIX = 'limits-test';
const CONFIG = { REDIS_KEY_PREFIX: PREFIX, RATE_LIMIT_MEMORY_MS: 3_600_000 };

describe('the Redis storage of rate limits', () => {
  let server: LocalRedis;
  let redis: Redis;
  let storage: RedisThrottlerStorage;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = await startLocalRedis();
  });

  /** A busy machine is not what most tests are about: they wait for Redis longer than the product does. */
  const connect = async (change: RedisOptions = { commandTimeout: 10_000 }) => {
    redis = new Redis(server.url, { ...redisOptions('fast'), ...change });
    redis.on('error', () => undefined);
    await waitFor(() => redis.status === 'ready', { what: 'Redis', intervalMs: 5 });
    storage = new RedisThrottlerStorage(redis, CONFIG, { count: 1 });
  };

  beforeEach(async () => {
    await server.start();
    await connect();
  });

  afterEach(() => redis.disconnect());

  afterAll(async () => {
    await server.remove();
    Logger.overrideLogger(true);
  });

  const key = (...parts: string[]) => redisKey(PREFIX, 'limits', newId(), ...parts);
  const check = (name: PolicyName, limit: number, change: Partial<Policy> = {}, at = key(name)): Check => ({
    policy: { ...POLICIES[name], ...change },
    limit,
    key: at,
  });

  it('never admits more than the limit in any stretch of a sliding window', async () => {
    const [limit, windowMs] = [20, 300];
    const sliding = check('api', limit, { windowMs });
    const admissions: { sent: number; received: number }[] = [];
    const end = performance.now() + 1_500;
    while (performance.now() < end) {
      await Promise.all(
        Array.from({ length: Math.ceil(Math.random() * 8) }, async () => {
          const sent = performance.now();
          const { admitted } = await storage.take([sliding]);
          if (admitted) admissions.push({ sent, received: performance.now() });
        }),
      );
      await pause(Math.random() * 15);
    }
    for (const { sent } of admissions) {
      // Those that were surely decided within one window of the server's time.
      const within = admissions.filter((other) => other.sent >= sent && other.received <= sent + windowMs);
      expect(within.length).toBeLessThanOrEqual(limit);
    }
    expect(admissions.length).toBeGreaterThan(2 * limit); // and it does give quota back
  });

  it('gives quota back when it said it would', async () => {
    const fixed = check('bulk', 1, { windowMs: 200 });
    expect((await storage.take([fixed])).admitted).toBe(true);
    const refused = await storage.take([fixed]);
    expect(refused.admitted).toBe(false);
    expect(refused.measures[0]?.resetMs).toBeLessThanOrEqual(200);
    await waitFor(async () => (await storage.take([fixed])).admitted, {
      what: 'quota',
      timeoutMs: 1_000,
      intervalMs: 20,
    });
  });

  it('counts an aligned window to the next multiple of its length, on the clock of Redis', async () => {
    const windowMs = 400;
    const aligned = check('api_calls_per_hour', 2, { windowMs });
    const redisMs = async () => {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
    };
    for (let round = 0; round < 4; round += 1) {
      const before = await redisMs();
      const began = Math.floor(before / windowMs);
      let admitted = 0;
      let verdict = await storage.take([aligned]);
      for (; verdict.admitted; verdict = await storage.take([aligned])) admitted += 1;
      const now = await redisMs();
      if (Math.floor(now / windowMs) === began) {
        expect(admitted).toBe(2);
        // It was measured between the two, however long that took.
        expect(verdict.measures[0]!.resetMs).toBeLessThanOrEqual(windowMs - (before % windowMs));
        expect(verdict.measures[0]!.resetMs).toBeGreaterThanOrEqual(windowMs - (now % windowMs));
      }
      await waitFor(async () => Math.floor((await redisMs()) / windowMs) > began, {
        what: 'the next window',
        intervalMs: 5,
      });
    }
    expect((await storage.take([aligned])).admitted).toBe(true);
  });

  it('charges nothing for what it refuses, in none of the checks', async () => {
    const organization = newId();
    const at = (name: string) => redisKey(PREFIX, 'limits', organization, name);
    const api = check('api', 100, {}, at('api'));
    const exports = check('export', 2, {}, at('export'));
    for (const used of [1, 2]) {
      const verdict = await storage.take([api, exports]);
      expect(verdict.measures.map((measure) => measure.used)).toEqual([used, used]);
    }
    for (let i = 0; i < 10; i += 1) expect((await storage.take([api, exports])).admitted).toBe(false);
    const { measures } = await storage.take([api]);
    expect(measures[0]?.used).toBe(3);
  });

  it('charges neither account nor address when one of them is used up, and starts no window by it', async () => {
    const organization = newId();
    const at = (name: string) => redisKey(PREFIX, 'limits', organization, name);
    const [address, account] = ['address', 'account'].map((name) => check('auth', 2, {}, at(name))) as [Check, Check];
    for (let i = 0; i < 2; i += 1) await storage.take([address]);
    const refused = await storage.take([address, account]);
    expect(refused).toMatchObject({ admitted: false, by: 'redis' });
    expect(refused.measures.map(({ used }) => used)).toEqual([2, 0]);
    await pause(50);
    const first = await storage.take([account]);
    expect(first.measures[0]).toMatchObject({ used: 1, resetMs: POLICIES.auth.windowMs });
  });

  it('is one command for all checks of a request', async () => {
    const organization = newId();
    const at = (name: string) => redisKey(PREFIX, 'limits', organization, name);
    const checks = [check('api', 9, {}, at('api')), check('export', 9, {}, at('export'))];
    await storage.take(checks); // the server knows the script from here on
    const sent = jest.spyOn(redis, 'sendCommand');
    await storage.take(checks);
    expect(sent).toHaveBeenCalledTimes(1);
    expect(sent.mock.calls[0]?.[0].name).toBe('evalsha');
  });

  it('sends nothing for what it knows to be used up, tells how long it takes, and asks at once when the limit was raised', async () => {
    const organization = newId();
    const at = (name: string) => redisKey(PREFIX, 'limits', organization, name);
    const api = check('api', 100, {}, at('api'));
    const exports = check('export', 2, {}, at('export'));
    for (let i = 0; i < 2; i += 1) await storage.take([api, exports]);
    const first = await storage.take([api, exports]);
    expect(first).toMatchObject({ admitted: false, by: 'redis' });
    const sent = jest.spyOn(redis, 'sendCommand');
    const began = performance.now();
    for (let i = 0; i < 200; i += 1) {
      const verdict = await storage.take([api, exports]);
      expect(verdict).toMatchObject({ admitted: false, by: 'memory', measures: [{ check: exports, used: 2 }] });
    }
    await pause(20);
    const elapsed = performance.now() - began;
    const { measures } = await storage.take([api, exports]);
    expect(sent).not.toHaveBeenCalled();
    const passed = first.measures[1]!.resetMs - measures[0]!.resetMs;
    expect(passed).toBeGreaterThanOrEqual(elapsed - 1); // whole milliseconds
    expect(passed).toBeLessThanOrEqual(performance.now() - began + 5_000);
    expect((await storage.take([api])).measures[0]?.used).toBe(3); // other policies are asked about as ever
    const raised = await storage.take([api, { ...exports, limit: 3 }]);
    expect(raised).toMatchObject({ admitted: true, by: 'redis' });
    expect(raised.measures[1]?.used).toBe(3);
    const { refused, refused_locally } = storage.statistics.snapshot().find(({ policy }) => policy === 'export')!;
    expect({ refused, refused_locally }).toEqual({ refused: 1, refused_locally: 201 });
  });

  it('serves the throttler as a fixed window', async () => {
    const record = () => storage.increment('a-key', 60_000, 2, 60_000, 'default');
    await expect(record()).resolves.toMatchObject({ totalHits: 1, isBlocked: false, timeToExpire: 60 });
    await expect(record()).resolves.toMatchObject({ totalHits: 2, isBlocked: false });
    await expect(record()).resolves.toMatchObject({ totalHits: 3, isBlocked: true, timeToBlockExpire: 60 });
  });

  it('loads its script again when the server forgot it', async () => {
    const api = check('api', 5);
    await storage.take([api]);
    await redis.script('FLUSH');
    expect((await storage.take([api])).measures[0]?.used).toBe(2);
  });

  it.each([['killed', 'SIGKILL'] as const, ['frozen', 'SIGSTOP'] as const])(
    'counts locally when Redis is %s, within 50 ms and then at once, and together again afterwards',
    async (_how, signal) => {
      redis.disconnect();
      await connect({});
      const api = check('api', 3);
      const auth = check('auth', 4);
      const counted = async () => (await storage.take([check('api', 3)])).by === 'redis';
      await waitFor(counted, { what: 'Redis to count' });
      await server.kill(signal);
      let begun = performance.now();
      expect((await storage.take([api])).admitted).toBe(true);
      expect(performance.now() - begun).toBeLessThan(150); // 50 ms and the scheduling of a busy machine
      begun = performance.now();
      const admitted = [];
      for (let i = 0; i < 4; i += 1) admitted.push((await storage.take([api])).admitted);
      expect(admitted).toEqual([true, true, false, false]);
      const attempts = [];
      for (let i = 0; i < 3; i += 1) attempts.push((await storage.take([auth])).admitted);
      expect(attempts).toEqual([true, true, false]);
      await expect(storage.take([check('export', 5)])).rejects.toMatchObject({ code: 'rate_limits_unavailable' });
      expect(performance.now() - begun).toBeLessThan(300);
      await server.kill('SIGCONT');
      await server.start();
      // A policy without insurance passes only when Redis counts it.
      await waitFor(() => storage.take([check('export', 5)]), { what: 'Redis to count again' });
    },
  );
});
