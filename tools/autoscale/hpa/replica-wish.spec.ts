/** Cases worked out by hand from "Horizontal Pod Autoscaling" of kubernetes.io, algorithm details. */
import * as fc from 'fast-check';
import { context, NOW, pod, pods, samples, type Seen } from '../test/pods';
import { type WishContext, wishOf } from './replica-wish';
import type { MetricSpec } from './spec';

const CPU: MetricSpec = { kind: 'Resource', name: 'cpu', target: { type: 'Utilization', percent: 50 } };
const RATE: MetricSpec = { kind: 'Pods', name: 'rate', target: { type: 'AverageValue', value: 100 } };
const QUEUE: MetricSpec = { kind: 'External', name: 'queue', target: { type: 'AverageValue', value: 30 } };
const DEPTH: MetricSpec = { kind: 'External', name: 'depth', target: { type: 'Value', value: 100 } };

const cpu = (values: readonly (number | undefined)[], changes: Partial<WishContext> = {}, there?: Seen['pods']) =>
  wishOf(CPU, context({ pods: there ?? pods(values.length), cpu: samples(values) }, changes));

describe('what a metric of pods asks for', () => {
  it('doubles at twice the target and halves at half of it', () => {
    expect(cpu([1, 1])).toBe(4);
    expect(cpu([0.25, 0.25])).toBe(1);
    expect(wishOf(RATE, context({ pods: pods(3), metric: samples([200, 200, 200]) }))).toBe(6);
  });

  it('rounds up', () => expect(cpu([0.6, 0.6, 0.6])).toBe(4)); // 3 × 1.2 = 3.6

  it.each([
    [0.55, 4], // a tenth above: nothing
    [0.56, 5],
    [0.45, 4],
    [0.44, 4], // 4 × 0.88 = 3.52
    [0.36, 3],
  ])('does nothing within a tenth of the target: %d of 4 pods with 0.5', (value, wish) => {
    expect(cpu([value, value, value, value])).toBe(wish);
  });

  it('takes utilization as a whole percentage, cut off', () => {
    expect(cpu([0.559, 0.559])).toBe(2); // 55 %, not 55.9 %
  });

  it('keeps to tolerances of its own for each direction', () => {
    expect(cpu([0.55, 0.55], { tolerances: { up: 0.05, down: 0.1 } })).toBe(3);
    expect(cpu([0.45, 0.45], { tolerances: { up: 0.1, down: 0.05 } })).toBe(2);
  });

  it('is not known without pods that count', () => {
    expect(cpu([undefined, undefined])).toBeNull();
    expect(wishOf(RATE, context({ pods: pods(2) }))).toBeNull();
    expect(cpu([1], {}, [pod('pod-0', { deleting: true })])).toBeNull();
  });
});

describe('pods without a figure', () => {
  it('are taken as using nothing on the way up', () => {
    expect(cpu([1, 1, undefined])).toBe(4); // 66 % ÷ 50 % × 3 = 3.96
  });

  it('are taken as using all of their request on the way down', () => {
    expect(cpu([0.2, 0.2, 0.2, undefined])).toBe(4); // (0.6 + 1) / 4 = 40 % ÷ 50 % × 4 = 3.2
    expect(cpu([0.1, 0.1, 0.1, 0.1, undefined])).toBe(3); // 28 % ÷ 50 % × 5 = 2.8
  });

  it('are taken as using exactly the target of a metric that has no request', () => {
    const seen = context({ pods: pods(4), metric: samples([40, 40, 40, undefined]) });
    expect(wishOf(RATE, seen)).toBe(3); // (120 + 100) / 4 = 55
  });

  it('never turn the direction', () => {
    expect(cpu([0.6, undefined])).toBe(2); // 120 %, with the other one 60 %
    expect(cpu([0.4, undefined])).toBe(2); // 80 %, with the other one 140 %
  });
});

describe('pods that start', () => {
  const starting = (changes: object) => [pod('pod-0'), pod('pod-1', { startedAt: NOW - 40, ...changes })];

  it('are set aside while they are not ready, and count as nothing on the way up', () => {
    const there = starting({ ready: false, readyChangedAt: NOW - 40 });
    expect(cpu([1, 1], {}, there)).toBe(2); // 200 % of one, 100 % of two
    expect(cpu([0.2, 1], {}, there)).toBe(1); // 40 % of the one
  });

  it('are set aside until a whole window of their processor time is of when they were ready', () => {
    expect(cpu([1, 1], {}, starting({ readyChangedAt: NOW - 14 }))).toBe(2);
    expect(cpu([1, 1], {}, starting({ readyChangedAt: NOW - 15 }))).toBe(4);
  });

  it('count after the initialization period, unless they never were ready', () => {
    const old = { startedAt: NOW - 301 };
    expect(cpu([1, 1], {}, starting({ ...old, readyChangedAt: NOW - 1 }))).toBe(4);
    expect(cpu([1, 1], {}, starting({ ...old, ready: false, readyChangedAt: NOW - 300 }))).toBe(2); // within 30 s of the start
    expect(cpu([1, 1], {}, starting({ ...old, ready: false, readyChangedAt: NOW - 200 }))).toBe(4); // it was ready once
  });

  it('count for metrics other than processor time', () => {
    const there = starting({ ready: false, readyChangedAt: NOW - 40 });
    expect(wishOf(RATE, context({ pods: there, metric: samples([200, 200]) }))).toBe(4);
  });

  it('that nobody runs yet are set aside for every metric', () => {
    const there = [pod('pod-0'), pod('pod-1', { phase: 'Pending', ready: null, startedAt: null })];
    expect(wishOf(RATE, context({ pods: there, metric: samples([200, undefined]) }))).toBe(2);
  });
});

describe('pods that leave or have failed', () => {
  it('do not count at all', () => {
    const there = [pod('pod-0'), pod('pod-1', { deleting: true }), pod('pod-2', { phase: 'Failed' })];
    expect(cpu([1, 1, 1], { specReplicas: 1 }, there)).toBe(2);
  });
});

describe('one number from outside', () => {
  const queue = (single: number | null, replicas: number) => wishOf(QUEUE, context({ pods: pods(replicas), single }));

  it('is shared among the pods that there are', () => {
    expect(queue(300, 2)).toBe(10);
    expect(queue(95, 3)).toBe(3); // 31.7 each: within a tenth
    expect(queue(0, 3)).toBe(0);
    expect(queue(null, 3)).toBeNull();
  });

  it('as a value is compared as it is, and multiplies the pods that are ready', () => {
    const there = [pod('pod-0'), pod('pod-1'), pod('pod-2', { ready: false })];
    expect(wishOf(DEPTH, context({ pods: there, single: 300 }))).toBe(6);
    expect(wishOf(DEPTH, context({ pods: there, single: 105 }))).toBe(3);
    expect(wishOf(DEPTH, context({ pods: [], single: 300 }))).toBe(3);
  });
});

describe('any metric of pods', () => {
  const use = fc.option(fc.integer({ min: 0, max: 400 }), { nil: undefined });

  it('asks for no fewer when one uses more, where something is known of all', () => {
    const values = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 0, max: 200 }), (all, which, more) => {
        const before = cpu(all.map((one) => one / 100))!;
        const after = cpu(all.map((one, index) => (index === which % all.length ? one + more : one) / 100))!;
        // The tolerance keeps what there is, from below and from above.
        expect(after).toBeGreaterThanOrEqual(Math.min(before, all.length));
      }),
    );
  });

  it('lets what is not known change no direction, and never makes the change greater', () => {
    fc.assert(
      fc.property(fc.array(use, { minLength: 1, maxLength: 12 }), (all) => {
        const known = all.filter((one) => one !== undefined);
        if (known.length === 0) return;
        const mean = Math.trunc(known.reduce((sum, one) => sum + one, 0) / known.length) / 50;
        const wish = cpu(all.map((one) => (one === undefined ? undefined : one / 100)))!;
        if (mean > 1) expect(wish).toBeGreaterThanOrEqual(all.length);
        if (mean < 1) expect(wish).toBeLessThanOrEqual(all.length);
        expect(wish).toBeLessThanOrEqual(Math.max(all.length, Math.ceil(mean * all.length)));
      }),
    );
  });
});
