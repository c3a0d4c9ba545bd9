/** The pace against a simulated shard, and for any delays at any times. */
import fc from 'fast-check';
import { type Load, SimulatedShard } from '../../test/simulated-shard';
import { DelayPace, LEAST } from './delay-pace';

const MAXIMUM = 16;
const SAMPLE_MS = 50;
const MINUTE_MS = 60_000;

function shardOf(pace: DelayPace): SimulatedShard {
  return new SimulatedShard(pace, 7);
}

/** What a pace does that is told the same delay for a while; resolves to the time after it. */
function told(pace: DelayPace, delayMs: number, from: number, forMs: number): number {
  for (let at = from; at < from + forMs; at += SAMPLE_MS) pace.sample(delayMs, at);
  return from + forMs;
}

describe('the pace of jobs', () => {
  it.each([
    [1, 2, 100],
    [1, 4, 200],
    [1, 4, 1_000],
    [2, 2, 100],
    [2, 4, 200],
    [2, 4, 1_000],
    [5, 2, 500],
  ])(
    'settles where jobs add less than %d ms, on %d processors with %d requests/s',
    (targetMs, processors, perSecond) => {
      const load: Load = { processors, requestsPerSecond: perSecond, jobs: true };
      const pace = new DelayPace(MAXIMUM, targetMs);
      const shard = shardOf(pace);
      const alone = shard.run(20, { ...load, jobs: false });
      shard.run(20, load);
      const both = shard.run(60, load);
      const added = both.requestWaitMs - alone.requestWaitMs;
      expect(added).toBeGreaterThan(0.05 * targetMs);
      expect(added).toBeLessThan(0.8 * targetMs);
      expect(both.used).toBeGreaterThan(alone.used + 0.05); // what is free is not all left unused

      const unpaced = new SimulatedShard({ width: MAXIMUM, sample: () => undefined }, 7).run(20, load);
      expect(unpaced.requestWaitMs).toBeGreaterThan(2 * both.requestWaitMs);
    },
  );

  it('reaches its maximum where there is room for all jobs, and begins with less than one at a time', () => {
    const pace = new DelayPace(MAXIMUM, 1);
    expect(pace.width).toBe(LEAST);
    const shard = shardOf(pace);
    shard.run(1, { processors: 32, requestsPerSecond: 100, jobs: true });
    expect(pace.width).toBeGreaterThan(1.3 * LEAST);
    expect(pace.width).toBeLessThan(1);
    shard.run(60, { processors: 32, requestsPerSecond: 100, jobs: true });
    expect(pace.width).toBe(MAXIMUM);
    pace.forget();
    expect(pace.width).toBe(LEAST);
  });

  it('keeps to its least share while others need more than there is, in which jobs end, and gets wide again after it', () => {
    const pace = new DelayPace(MAXIMUM, 1);
    const shard = shardOf(pace);
    const calm: Load = { processors: 4, requestsPerSecond: 200, jobs: true };
    const before = shard.run(20, calm);
    shard.run(3, { ...calm, requestsPerSecond: 2_400 });
    const over = shard.run(10, { ...calm, requestsPerSecond: 2_000 });
    expect(over.width).toBeCloseTo(LEAST, 6);
    expect(over.used).toBeGreaterThan(0.98);
    expect(over.jobsDone).toBeGreaterThan(0);
    shard.run(5, calm);
    const after = shard.run(20, calm);
    expect(after.width).toBeGreaterThan(0.8 * before.width);
    expect(after.jobsDone).toBeGreaterThan(0.8 * before.jobsDone);
  });

  it('takes a way that has become longer for good for the base, within ten minutes and not sooner than in nine', () => {
    const pace = new DelayPace(MAXIMUM, 1);
    let now = told(pace, 0.5, 12_345, MINUTE_MS);
    expect(pace.width).toBe(MAXIMUM);
    now = told(pace, 20.5, now, 8 * MINUTE_MS);
    expect(pace.width).toBe(LEAST);
    told(pace, 20.5, now, 3 * MINUTE_MS);
    expect(pace.width).toBe(MAXIMUM);
  });

  it('takes one that has become shorter at once', () => {
    const pace = new DelayPace(MAXIMUM, 1);
    const now = told(pace, 20, 0, MINUTE_MS / 2);
    pace.sample(1, now); // in the same minute
    told(pace, 20, now, 5_000);
    expect(pace.width).toBe(LEAST);
  });

  it('gets narrower by how far it is above its target, a quarter a time at most, and wider by a fiftieth', () => {
    const pace = new DelayPace(MAXIMUM, 2);
    told(pace, 1, 0, MINUTE_MS);
    const steps = [
      [3, 0], // base and target: stays
      [4, -0.25 / 2],
      [5, -0.25],
      [500, -0.25],
    ] as const;
    for (const [delayMs, change] of steps) {
      const before = pace.width;
      pace.sample(delayMs, MINUTE_MS);
      expect(pace.width / before - 1).toBeCloseTo(change, 10);
    }
    const before = pace.width;
    pace.sample(2, MINUTE_MS);
    expect(pace.width - before).toBeCloseTo(0.01, 10);
    while (pace.width > 0.5) pace.sample(500, MINUTE_MS);
    const below = pace.width;
    pace.sample(1, MINUTE_MS);
    expect(pace.width / below).toBeCloseTo(1.02, 10);
  });

  it('is between its least and its maximum, for any delays at any times', () => {
    const delay = fc.oneof(
      fc.double({ min: 0, max: 50, noNaN: true }),
      fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true }),
    );
    const sample = fc.record({ delay, passedMs: fc.oneof(fc.nat(100), fc.nat(20 * MINUTE_MS)), forget: fc.nat(20) });
    const maximum = fc.integer({ min: 1, max: 1_000 });
    const target = fc.integer({ min: 1, max: 1_000 });
    fc.assert(
      fc.property(maximum, target, fc.array(sample, { maxLength: 200, size: 'max' }), (most, targetMs, samples) => {
        const pace = new DelayPace(most, targetMs);
        let now = 0;
        for (const { delay: delayMs, passedMs, forget } of samples) {
          now += passedMs;
          if (forget === 0) pace.forget();
          pace.sample(delayMs, now);
          if (!(pace.width >= LEAST && pace.width <= most)) throw new Error(`${pace.width} of ${most}`);
        }
      }),
      { numRuns: 500 },
    );
  });
});
