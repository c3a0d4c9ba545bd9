/** take.lua against the reference model: random arrivals, limits that change, a clock that jumps both ways. */
import { readFileSync } from 'node:fs';
import { newId } from '#libs/kernel';
import { LuaScript, redisKey } from '#libs/redis';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { lifeMs } from '../src/take-batch';
import { ReferenceModel } from './reference-model';
import { TAKE_FILE, TakeOnAClock } from './take-on-a-clock';

const PREFIX = 'model-test';
const WINDOW_MS = 3_600_000;
const WINDOW = WINDOW_MS * 1_000;
const BEGIN = 1_764_000_000_123_456;
const RUNS = 150;

interface Step {
  /** Microseconds since the step before; less than 0 where the clock was set back. */
  readonly passes: number;
  readonly limit: number;
}

const LIMIT = 7;
const passes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: Math.round(WINDOW / LIMIT) }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: Math.round(WINDOW * 0.9), max: Math.round(WINDOW * 1.1) }) },
  // To the microsecond at which things return.
  { weight: 1, arbitrary: fc.constantFrom(WINDOW - 1, WINDOW, WINDOW + 1, WINDOW / 60) },
);
const steady: fc.Arbitrary<Step[]> = fc.array(fc.record({ passes, limit: fc.constant(LIMIT) }), { maxLength: 60 });
const wild: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    passes: fc.oneof(
      { weight: 5, arbitrary: passes },
      { weight: 1, arbitrary: fc.integer({ min: -2 * WINDOW, max: 0 }) },
    ),
    limit: fc.integer({ min: 1, max: 2 * LIMIT }),
  }),
  { maxLength: 60 },
);
const KINDS = ['sliding', 'bucket', 'aligned', 'fixed'] as const;

describe('take.lua', () => {
  let redis: Redis;
  let clocked: TakeOnAClock;

  beforeAll(() => {
    redis = new Redis(process.env.STOCKYARD_TEST_REDIS_URL!);
    clocked = new TakeOnAClock(redis);
  });

  afterAll(() => redis.disconnect());

  it.each(['sliding', 'bucket', 'aligned'] as const)(
    'leaves a %s counter that used.lua reads, which takes nothing',
    (window) =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(passes, passes), { maxLength: 40 }), async (steps) => {
          const options = { window, windowMs: WINDOW_MS };
          const model = new ReferenceModel(options);
          const key = redisKey(PREFIX, 'limits', newId(), window);
          let now = BEGIN;
          for (const [before, after] of steps) {
            now += before;
            await clocked.take(key, options, LIMIT, now);
            model.take(LIMIT, now);
            now += after;
            const stored = await redis.getBuffer(key);
            expect(await clocked.used(key, options, now)).toBe(model.used(now));
            const left = await redis.getBuffer(key);
            if (left) expect(left).toEqual(stored);
          }
          await redis.del(key);
        }),
        { numRuns: RUNS / 3 },
      ),
  );

  /** Times at which requests were admitted. */
  const run = async (window: (typeof KINDS)[number], steps: readonly Step[], compare: boolean): Promise<number[]> => {
    const options = { window, windowMs: WINDOW_MS };
    const model = new ReferenceModel(options);
    const key = redisKey(PREFIX, 'limits', newId(), window);
    const admissions: number[] = [];
    let now = BEGIN;
    let exact = compare;
    for (const step of steps) {
      now += step.passes;
      // Tokens that were back may be out again by a clock that was set back: which, depends on what was tidied away before.
      if (window === 'bucket' && step.passes < 0) exact = false;
      const { admitted, used, resetMs } = await clocked.take(key, options, step.limit, now);
      if (exact) expect({ admitted, used }).toEqual(model.take(step.limit, now));
      const latest = WINDOW_MS + (window === 'sliding' ? WINDOW_MS / 60 : 0);
      expect(resetMs).toBeGreaterThan(0);
      expect(resetMs).toBeLessThanOrEqual(latest);
      if (admitted) admissions.push(now);
    }
    await redis.del(key);
    return admissions;
  };

  /** The most that any stretch of one window saw, its end not included. */
  const most = (admissions: readonly number[], length: number): number =>
    Math.max(0, ...admissions.map((from) => admissions.filter((at) => at >= from && at < from + length).length));

  it.each(KINDS)('decides as the model does: %s', async (window) => {
    await fc.assert(
      fc.asyncProperty(wild, async (steps) => {
        await run(window, steps, true);
      }),
      { numRuns: RUNS },
    );
  });

  it.each(['sliding', 'bucket'] as const)(
    'admits no more than the limit in any stretch of a window: %s',
    async (window) => {
      await fc.assert(
        fc.asyncProperty(steady, async (steps) => {
          expect(most(await run(window, steps, false), WINDOW)).toBeLessThanOrEqual(LIMIT);
        }),
        { numRuns: RUNS },
      );
    },
  );

  it('gives a token of the bucket back exactly one window after it was taken, and so admits all that the limit allows', async () => {
    await fc.assert(
      fc.asyncProperty(steady, async (steps) => {
        const admitted = new Set(await run('bucket', steps, false));
        let now = BEGIN;
        const before: number[] = [];
        for (const step of steps) {
          now += step.passes;
          const room = before.filter((at) => at > now - WINDOW).length < LIMIT;
          if (room) before.push(now);
          else expect(admitted.has(now) && !before.includes(now)).toBe(false);
        }
        expect(admitted).toEqual(new Set(before));
      }),
      { numRuns: RUNS },
    );
  });

  it('gives quota of the sliding window back at most a sixtieth late', async () => {
    const options = { window: 'sliding', windowMs: WINDOW_MS } as const;
    await fc.assert(
      fc.asyncProperty(steady, async (steps) => {
        const key = redisKey(PREFIX, 'limits', newId(), 'late');
        const admissions: number[] = [];
        let now = BEGIN;
        for (const { passes: passed, limit } of steps) {
          now += passed;
          const { admitted } = await clocked.take(key, options, limit, now);
          const late = admissions.filter((at) => at > now - WINDOW - WINDOW / 60).length;
          if (!admitted) expect(late).toBeGreaterThanOrEqual(limit);
          else admissions.push(now);
        }
        await redis.del(key);
      }),
      { numRuns: RUNS },
    );
  });

  it('decides each of several requests of one call as the model does, one after another, all or nothing', async () => {
    const TENANTS = 2;
    const request = fc.record({
      tenant: fc.integer({ min: 0, max: TENANTS - 1 }),
      windows: fc.subarray([...KINDS], { minLength: 1 }),
      limit: fc.constantFrom(LIMIT, LIMIT, 2 * LIMIT),
    });
    const calls = fc.array(fc.record({ passes, requests: fc.array(request, { minLength: 1, maxLength: 12 }) }), {
      maxLength: 20,
    });
    let [together, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(calls, async (steps) => {
        const tenants = Array.from({ length: TENANTS }, () => ({
          organization: `{${newId()}}`,
          models: new Map(KINDS.map((window) => [window, new ReferenceModel({ window, windowMs: WINDOW_MS })])),
        }));
        let now = BEGIN;
        for (const { passes: passed, requests } of steps) {
          now += passed;
          const expected = requests.map(({ tenant, windows, limit }) => {
            const models = windows.map((window) => tenants[tenant]!.models.get(window)!);
            const admitted = models.every((model) => model.used(now) < limit);
            return models.map((model) => (admitted ? model.take(limit, now) : { admitted, used: model.used(now) }));
          });
          const asked = requests.map(({ tenant, windows, limit }) =>
            windows.map((window) => ({
              key: `${tenants[tenant]!.organization}:${window}`,
              options: { window, windowMs: WINDOW_MS },
              limit,
            })),
          );
          const taken = await clocked.takeAll(asked, now);
          expect(taken.map((one) => one.map(({ admitted, used }) => ({ admitted, used })))).toEqual(expected);
          const admissions = new Set(expected.map(([first]) => first!.admitted));
          if (admissions.size === 2) together += 1;
          if (admissions.has(false)) refused += 1;
        }
        const keys = tenants.flatMap(({ organization }) => KINDS.map((window) => `${organization}:${window}`));
        await redis.del(...keys, ...keys.map((key) => `${key}:life`));
      }),
      { numRuns: RUNS },
    );
    // Or the steps would prove little.
    expect(together).toBeGreaterThan(RUNS / 10);
    expect(refused).toBeGreaterThan(together);
  });

  it('tells the reset of a full bucket to the millisecond: the token that was taken first', async () => {
    const options = { window: 'bucket', windowMs: WINDOW_MS } as const;
    const key = redisKey(PREFIX, 'limits', newId(), 'reset');
    for (const at of [0, 10_000_000, 20_000_000]) await clocked.take(key, options, 3, BEGIN + at);
    const refused = await clocked.take(key, options, 3, BEGIN + 30_000_000);
    expect(refused).toEqual({ admitted: false, used: 3, resetMs: WINDOW_MS - 30_000 });
    // The limit was lowered: two have to return before one may be taken.
    const lowered = await clocked.take(key, options, 2, BEGIN + 30_000_000);
    expect(lowered).toEqual({ admitted: false, used: 3, resetMs: WINDOW_MS - 20_000 });
    expect(await clocked.take(key, options, 3, BEGIN + WINDOW - 1)).toMatchObject({ admitted: false, resetMs: 1 });
    expect(await clocked.take(key, options, 3, BEGIN + WINDOW)).toMatchObject({ admitted: true, used: 3 });
  });

  it('takes back hundreds of tokens at once', async () => {
    const options = { window: 'bucket', windowMs: WINDOW_MS } as const;
    const key = redisKey(PREFIX, 'limits', newId(), 'many');
    for (let i = 0; i < 250; i += 1) await clocked.take(key, options, 1_000, BEGIN + i);
    expect(await clocked.take(key, options, 1_000, BEGIN + WINDOW + 248)).toMatchObject({ admitted: true, used: 2 });
  });

  it('is two or three commands in Redis for one policy and five for three, however much was taken', async () => {
    const organization = newId();
    const keys = KINDS.map((name) => redisKey(PREFIX, 'limits', organization, name));
    const script = new LuaScript<number[]>(readFileSync(TAKE_FILE, 'utf8'));
    const take = (requests: number, ...windows: (typeof KINDS)[number][]) =>
      script.runOn(
        redis,
        Array.from({ length: requests }, () => windows.map((window) => keys[KINDS.indexOf(window)]!)).flat(),
        [
          'A'.repeat(requests),
          windows.length,
          ...windows.flatMap((window) => [window, 1_000, WINDOW_MS, lifeMs({ window, windowMs: WINDOW_MS })]),
        ],
      );
    const calls = async (): Promise<number> =>
      [
        ...(await redis.info('commandstats')).matchAll(
          /cmdstat_(?!evalsha|info|eval|script|config)\w+(?:\|\w+)?:calls=(\d+)/g,
        ),
      ]
        .map(([, count]) => Number(count))
        .reduce((sum, count) => sum + count, 0);
    const cost = async (work: () => Promise<unknown>): Promise<number> => {
      await redis.config('RESETSTAT');
      await work();
      return calls();
    };
    const three = KINDS.slice(0, 3);
    for (let i = 0; i < 300; i += 1) await take(1, ...three);
    expect(await cost(() => take(1, ...three))).toBe(5);
    expect(await cost(() => take(1, 'fixed'))).toBe(2);
    expect(await cost(() => take(1, 'fixed'))).toBe(2);
    expect(await cost(() => take(1, 'sliding'))).toBe(3);
    // Of one tenant: each reads anew what the one before it has written.
    expect(await cost(() => take(4, ...three))).toBe(5 + 3 * 6);
  });
});
