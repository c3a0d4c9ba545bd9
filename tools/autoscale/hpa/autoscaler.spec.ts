/** Cases worked out by hand from "Horizontal Pod Autoscaling" of kubernetes.io, configurable scaling behavior, and properties. */
import * as fc from 'fast-check';
import { observation, pods, samples } from '../test/pods';
import { HorizontalPodAutoscaler } from './autoscaler';
import { type Behavior, DEFAULT_SCALE_DOWN, DEFAULT_SCALE_UP, type HpaSpec, type MetricSpec } from './spec';

const QUEUE: MetricSpec = { kind: 'External', name: 'queue', target: { type: 'AverageValue', value: 1 } };
const CPU: MetricSpec = { kind: 'Resource', name: 'cpu', target: { type: 'Utilization', percent: 50 } };
const AT_ONCE: Behavior = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 900, periodSeconds: 60 }],
  },
  scaleDown: { ...DEFAULT_SCALE_DOWN, stabilizationWindowSeconds: 0 },
};

/** Sets what it decides, every 15 seconds; the queue is what it is asked to be. */
class Driver {
  now = 0;

  private readonly autoscaler: HorizontalPodAutoscaler;

  constructor(
    spec: HpaSpec,
    public replicas: number,
  ) {
    this.autoscaler = new HorizontalPodAutoscaler(spec);
  }

  step(wanted: number | null, seconds = 15): number {
    this.now += seconds;
    const seen = observation({ pods: pods(this.replicas), single: wanted });
    const scale = { specReplicas: this.replicas, statusReplicas: this.replicas };
    ({ replicas: this.replicas } = this.autoscaler.reconcile(this.now, scale, seen));
    return this.replicas;
  }

  steps(count: number, wanted: number): number[] {
    return Array.from({ length: count }, () => this.step(wanted));
  }
}

const spec = (behavior: Behavior | undefined, changes: Partial<HpaSpec> = {}): HpaSpec => ({
  ...{ minReplicas: 1, maxReplicas: 100, metrics: [QUEUE], behavior },
  ...changes,
});

describe('how fast it goes', () => {
  it('down by a tenth a minute, rounded up, and by four pods where that is more', () => {
    const policies = [
      { type: 'Pods', value: 4, periodSeconds: 60 },
      { type: 'Percent', value: 10, periodSeconds: 60 },
    ] as const;
    const behavior = {
      ...AT_ONCE,
      scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies },
    } as const;
    const driver = new Driver(spec(behavior), 80);
    const minutes = Array.from({ length: 16 }, () => driver.steps(4, 10)[0]);
    // The page's own example: 8 of 80, then 7.2 of 72, which is 8; four at a time from 40 on.
    expect(minutes).toEqual([72, 64, 57, 51, 45, 40, 36, 32, 28, 24, 20, 16, 12, 10, 10, 10]);
  });

  it('up by half or two pods a minute, whichever is more, and no further within the minute', () => {
    const policies = [
      { type: 'Percent', value: 50, periodSeconds: 60 },
      { type: 'Pods', value: 2, periodSeconds: 60 },
    ] as const;
    const scaleUp = { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies } as const;
    const driver = new Driver(spec({ ...AT_ONCE, scaleUp }, { maxReplicas: 20 }), 3);
    expect(driver.steps(17, 50)).toEqual([5, 5, 5, 5, 8, 8, 8, 8, 12, 12, 12, 12, 18, 18, 18, 18, 20]);
    const least = new Driver(spec({ ...AT_ONCE, scaleUp: { ...scaleUp, selectPolicy: 'Min' } }), 3);
    expect(least.steps(5, 50)).toEqual([5, 5, 5, 5, 7]);
  });

  it('by default doubles or adds four every 15 seconds, and takes all away after five minutes', () => {
    const driver = new Driver(spec({ scaleUp: DEFAULT_SCALE_UP, scaleDown: DEFAULT_SCALE_DOWN }), 1);
    expect(driver.steps(4, 60)).toEqual([5, 10, 20, 40]);
    expect(driver.step(60)).toBe(60);
    expect(driver.steps(20, 1)).toEqual([...new Array<number>(19).fill(60), 1]);
  });

  it('without any behavior doubles or reaches four, and comes down after five minutes', () => {
    const driver = new Driver(spec(undefined), 1);
    expect(driver.steps(4, 20)).toEqual([4, 8, 16, 20]);
    expect(driver.steps(21, 2)).toEqual([...new Array<number>(20).fill(20), 2]);
  });

  it('not at all in a direction that is disabled', () => {
    const driver = new Driver(spec({ ...AT_ONCE, scaleDown: { ...DEFAULT_SCALE_DOWN, selectPolicy: 'Disabled' } }), 10);
    expect(driver.steps(40, 1).at(-1)).toBe(10);
  });
});

describe('stabilization', () => {
  it('goes down to the highest wish of its window', () => {
    const behavior = { ...AT_ONCE, scaleDown: { ...DEFAULT_SCALE_DOWN, stabilizationWindowSeconds: 60 } };
    const driver = new Driver(spec(behavior), 10);
    expect([10, 5, 7, 4, 4, 4, 4, 4].map((wish) => driver.step(wish))).toEqual([10, 10, 10, 10, 7, 7, 4, 4]);
  });

  it('goes up to the lowest wish of its window', () => {
    const behavior = { ...AT_ONCE, scaleUp: { ...AT_ONCE.scaleUp, stabilizationWindowSeconds: 60 } };
    const driver = new Driver(spec(behavior), 2);
    expect([2, 8, 5, 8, 8, 8, 8].map((wish) => driver.step(wish))).toEqual([2, 2, 2, 2, 5, 5, 8]);
  });
});

describe('an autoscaler', () => {
  it('takes the largest wish of its metrics', () => {
    const autoscaler = new HorizontalPodAutoscaler(spec(AT_ONCE, { metrics: [CPU, QUEUE] }));
    const seen = observation({ pods: pods(2), cpu: samples([1.5, 1.5]), single: 4 });
    const scale = { specReplicas: 2, statusReplicas: 2 };
    expect(autoscaler.reconcile(0, scale, seen)).toEqual({ replicas: 6, wishes: [6, 4], by: 'cpu' });
  });

  it('goes up by what it knows, and not down while it does not know all', () => {
    const metrics = [CPU, QUEUE];
    const decide = (single: number, replicas: number) =>
      new HorizontalPodAutoscaler(spec(AT_ONCE, { metrics })).reconcile(
        0,
        { specReplicas: replicas, statusReplicas: replicas },
        observation({ pods: pods(replicas), single }),
      );
    expect(decide(5, 2)).toEqual({ replicas: 5, wishes: [null, 5], by: 'queue' });
    expect(decide(1, 4)).toEqual({ replicas: 4, wishes: [null, 1], by: undefined });
  });

  it('does nothing while it knows nothing, or while somebody has switched the workload off', () => {
    expect(new Driver(spec(AT_ONCE), 3).step(null)).toBe(3);
    expect(new Driver(spec(AT_ONCE), 0).step(50)).toBe(0);
  });

  it('brings what is outside of its bounds back at once', () => {
    expect(new Driver(spec(AT_ONCE, { maxReplicas: 5 }), 9).step(null)).toBe(5);
    expect(new Driver(spec(AT_ONCE, { minReplicas: 3 }), 1).step(null)).toBe(3);
  });

  it('stays within its bounds and its policies, whatever is asked', () => {
    const percent = fc.integer({ min: 1, max: 200 });
    const periods = fc.constantFrom(15, 30, 60, 120);
    const rules = fc.record({ value: percent, pods: fc.integer({ min: 1, max: 6 }), periodSeconds: periods });
    const wishes = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rules, rules, wishes, (up, down, asked) => {
        const policies = ({ value, pods: count, periodSeconds }: typeof up) =>
          [
            { type: 'Percent', value: Math.min(value, 99), periodSeconds },
            { type: 'Pods', value: count, periodSeconds },
          ] as const;
        const behavior: Behavior = {
          scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: policies(up) },
          scaleDown: { stabilizationWindowSeconds: 60, selectPolicy: 'Min', policies: policies(down) },
        };
        const driver = new Driver(spec(behavior, { minReplicas: 2, maxReplicas: 40 }), 10);
        const counts = [10];
        for (const wish of asked) {
          const before = counts.at(-1)!;
          const after = driver.step(wish);
          counts.push(after);
          expect(after).toBeGreaterThanOrEqual(2);
          expect(after).toBeLessThanOrEqual(40);
          if (after > before) expect(wish).toBeGreaterThanOrEqual(after);
          if (after < before) expect(wish).toBeLessThanOrEqual(after);
          const began = ({ periodSeconds }: typeof up): number => counts.at(-1 - periodSeconds / 15) ?? 10;
          const highest = Math.max(began(up) + up.pods, Math.ceil(began(up) * (1 + Math.min(up.value, 99) / 100)));
          expect(after).toBeLessThanOrEqual(Math.max(before, highest));
          expect(after).toBeGreaterThanOrEqual(Math.min(before, began(down) - down.pods)); // the smaller of both steps
        }
      }),
    );
  });
});
