import fc from 'fast-check';
import { TenantWindows } from './tenant-windows';

const BASELINE_MS = 5;
const WINDOW_MS = 250;
const PER_SECOND = 0.001;
const LEAST = 0.125;

interface Activity {
  readonly tenant: string;
  readonly weight?: number;
  /** Requests under way at once. */
  readonly underWay: number;
  readonly count: number;
  readonly latencyMs: number;
}

/** Windows on a clock of their own: what each tenant does within one of them, again and again. */
class Clock {
  now = 0;
  readonly windows = new TenantWindows(0);

  pass(activities: readonly Activity[], times = 1): void {
    for (let time = 0; time < times; time += 1) {
      for (const { tenant, weight = 1, underWay, count, latencyMs } of activities) {
        this.windows.arrived(tenant, PER_SECOND);
        this.windows.began(tenant, underWay, this.now);
        for (let ended = 0; ended < count; ended += 1)
          this.windows.ended({ tenant, weight, latencyMs, baselineMs: BASELINE_MS }, this.now);
      }
      this.now += WINDOW_MS;
      this.windows.arrived('somebody', PER_SECOND); // as each request does that comes
      this.windows.allows('somebody', 0, this.now);
    }
  }

  of(tenant: string): number {
    return this.windows.of(tenant);
  }
}

const steady = (latencyMs: number, weight = 1): Activity[] =>
  ['a', 'b', 'c', 'd'].map((tenant) => ({ tenant, weight, underWay: 1, count: 5, latencyMs }));
const loud = (latencyMs: number, underWay = 100): Activity => ({ tenant: 'loud', underWay, count: 100, latencyMs });

describe('the windows of tenants', () => {
  it('begin with one, and double to eight while they are used up and nobody minds', () => {
    const clock = new Clock();
    expect(clock.of('loud')).toBe(1);
    clock.pass([...steady(5), loud(6, 1)]);
    expect(clock.of('loud')).toBe(2);
    clock.pass([...steady(5), loud(6, 2)]);
    expect(clock.of('loud')).toBe(4);
    clock.pass([...steady(5), loud(6, 2)]);
    expect(clock.of('loud')).toBe(4); // it did not need them
    clock.pass([...steady(5), loud(6, 4)]);
    expect(clock.of('loud')).toBe(8);
    clock.pass([...steady(5), loud(6, 8)]);
    expect(clock.of('loud')).toBe(8.5);
  });

  it('do not double while others notice, though these are not slow yet', () => {
    const clock = new Clock();
    clock.pass([...steady(5.7), loud(6, 1)], 3);
    expect(clock.of('loud')).toBe(1);
    clock.pass([...steady(5.3), loud(6, 1)]);
    expect(clock.of('loud')).toBe(2);
  });

  it('grow for a tenant that is alone, however slow it is, and for one whose requests all hang', () => {
    const clock = new Clock();
    clock.pass([loud(500, 1)]);
    clock.pass([{ ...loud(0, 2), count: 0 }]);
    expect(clock.of('loud')).toBe(4);
  });

  it('get narrower for who is loud while the others are slow, down to an eighth, and for nobody else', () => {
    const clock = new Clock();
    clock.pass([...steady(5), loud(6, 4)], 3);
    clock.pass([...steady(15), loud(6, 30)]);
    const once = clock.of('loud');
    expect(once).toBeLessThan(30);
    clock.pass([...steady(15), loud(15, once)]);
    expect(clock.of('loud')).toBeLessThan(once);
    clock.pass([...steady(15), loud(30, 2)], 20);
    expect(clock.of('loud')).toBe(LEAST);
    for (const { tenant } of steady(5)) expect(clock.of(tenant)).toBeGreaterThanOrEqual(1);
  });

  it('do not change because the requests of the loud one itself are slow', () => {
    const clock = new Clock();
    clock.pass([...steady(5), loud(200, 1)]);
    expect(clock.of('loud')).toBe(2);
  });

  it('grow by a quarter, and by a half at most, after they were narrowed', () => {
    const clock = new Clock();
    clock.pass([...steady(5), loud(6, 4)], 3);
    clock.pass([...steady(7), loud(15, 2)]);
    expect(clock.of('loud')).toBe(1);
    clock.pass([...steady(5), loud(6, 4)]);
    expect(clock.of('loud')).toBe(1.25);
    clock.pass([...steady(5), loud(6, 100)], 10);
    const wide = clock.of('loud');
    expect(wide).toBeGreaterThan(3);
    clock.pass([...steady(5), loud(6, 100)]);
    expect(clock.of('loud')).toBe(wide + 0.5);
  });

  it('are narrowed for nobody where all use about as much: that is for the limit of all', () => {
    const clock = new Clock();
    const busy = steady(50).map((one) => ({ ...one, underWay: 4 }));
    clock.pass(busy, 5);
    for (const { tenant } of busy) expect(clock.of(tenant)).toBeGreaterThan(1);
  });

  it('count what a tenant uses by its weight', () => {
    const narrowed = (weight: number) => {
      const clock = new Clock();
      clock.pass([...steady(15), { tenant: 'large', weight, underWay: 1, count: 20, latencyMs: 15 }]);
      return clock.of('large') < 1;
    };
    expect(narrowed(1)).toBe(true);
    expect(narrowed(4)).toBe(false);
  });

  it('share a server between two who want all of it, and leave the others alone', () => {
    const clock = new Clock();
    const sums = { one: 0, other: 0 };
    let slowWindows = 0;
    for (let window = 0; window < 4_000; window += 1) {
      const [one, other] = [clock.of('one'), window < 200 ? 0 : clock.of('other')].map(Math.floor) as [number, number];
      const latencyMs = BASELINE_MS * Math.max(1, (one + other) / 8); // eight processors
      if (latencyMs > 1.2 * BASELINE_MS) slowWindows += 1;
      const greedy = (tenant: string, underWay: number) => ({
        ...{ tenant, underWay, latencyMs },
        count: Math.round((underWay * WINDOW_MS) / latencyMs),
      });
      clock.pass([...steady(latencyMs), greedy('one', one), ...(other > 0 ? [greedy('other', other)] : [])]);
      if (window < 1_000) continue;
      sums.one += one;
      sums.other += other;
    }
    expect(sums.one / sums.other).toBeGreaterThan(0.8);
    expect(sums.one / sums.other).toBeLessThan(1.25);
    expect((sums.one + sums.other) / 3_000).toBeGreaterThan(6); // few processors are idle for their sake
    expect(slowWindows / 4_000).toBeLessThan(0.35);
  });

  it('do not hold a tenant that is alone, and hold it as soon as it is not', () => {
    const windows = new TenantWindows(0);
    windows.arrived('loud', PER_SECOND);
    windows.began('loud', 1, 0);
    expect(windows.allows('loud', 50, 1)).toBe(true);
    windows.arrived('other', PER_SECOND);
    expect(windows.allows('loud', 1, 2)).toBe(false);
    expect(windows.allows('loud', 0, 2)).toBe(true);
  });

  it('below one let in one request, and the next after a rest, which is short however long that one took', () => {
    for (const [latencyMs, restMs] of [
      [20, 140],
      [10_000, 200],
    ] as const) {
      // prettier-ignore
      const clock = new Clock();
      clock.pass([...steady(15), loud(15, 4)], 5);
      const { windows, now } = clock;
      expect(windows.of('loud')).toBe(LEAST);
      windows.began('loud', 1, now);
      expect(windows.allows('loud', 1, now)).toBe(false);
      windows.ended({ tenant: 'loud', weight: 1, latencyMs, baselineMs: BASELINE_MS }, now);
      expect(windows.allows('loud', 0, now + restMs - 1)).toBe(false);
      expect(windows.allows('loud', 0, now + restMs)).toBe(true);
    }
  });

  it.each([1, 20, 300])('let a tenant in at its long-run rate of %d/s while they are closed to it', (perSecond) => {
    const windows = new TenantWindows(0);
    let now = 0;
    const slow = () => {
      for (const { tenant, weight = 1, latencyMs } of steady(15)) {
        windows.arrived(tenant, perSecond);
        windows.ended({ tenant, weight, latencyMs, baselineMs: BASELINE_MS }, now);
      }
      windows.ended({ tenant: 'loud', weight: 1, latencyMs: 1_000, baselineMs: BASELINE_MS }, now);
    };
    let letIn = 0;
    const seconds = 20;
    for (let step = 0; step < seconds * 200; step += 1) {
      now += 5;
      windows.arrived('loud', perSecond);
      slow();
      for (let request = 0; request < 10 && windows.allows('loud', 1, now); request += 1) {
        windows.began('loud', 1, now);
        if (now > 10_000) letIn += 1;
      }
    }
    expect(windows.of('loud')).toBe(LEAST);
    expect(letIn / (seconds - 10)).toBeGreaterThan(0.95 * perSecond - 0.1);
    expect(letIn / (seconds - 10)).toBeLessThan(1.05 * perSecond + 0.1);
  });

  it('are never below an eighth, and forget who is gone', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.array(
            fc.record({
              tenant: fc.constantFrom('a', 'b', 'c'),
              weight: fc.integer({ min: 1, max: 16 }),
              underWay: fc.integer({ min: 1, max: 300 }),
              count: fc.nat(20),
              latencyMs: fc.double({ min: 0.01, max: 60_000, noNaN: true }),
            }),
            { maxLength: 6 },
          ),
          { maxLength: 60 },
        ),
        (windows) => {
          const clock = new Clock();
          for (const activities of windows) {
            clock.pass(activities);
            for (const tenant of ['a', 'b', 'c']) expect(clock.of(tenant)).toBeGreaterThanOrEqual(LEAST);
          }
          for (let idle = 0; idle < 50; idle += 1) {
            clock.pass([]);
            clock.of('d');
          }
          for (const tenant of ['a', 'b', 'c']) expect(clock.of(tenant)).toBe(1);
        },
      ),
    );
  });
});
