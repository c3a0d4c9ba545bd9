import fc from 'fast-check';
import { LatencySketch, RELATIVE_ACCURACY } from './latency-sketch';

const QUANTILES = [0, 0.5, 0.95, 0.99, 1];
/** Microseconds, from one to a day, spread over all magnitudes, as fractions too. */
const time = fc.double({ min: 0, max: Math.log(86_400_000_000), noNaN: true }).map(Math.exp);
const times = fc.array(time, { minLength: 1, maxLength: 400 });

function sketchOf(values: readonly number[]): LatencySketch {
  const sketch = new LatencySketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

function merged(...sketches: readonly LatencySketch[]): LatencySketch {
  const whole = new LatencySketch();
  for (const sketch of sketches) whole.merge(sketch);
  return whole;
}

describe('a sketch of latencies', () => {
  it('tells every quantile within its accuracy, of any distribution', () => {
    fc.assert(
      fc.property(times, (values) => {
        const sorted = [...values].sort((a, b) => a - b);
        const sketch = sketchOf(values);
        for (const q of QUANTILES) {
          const exact = sorted[Math.floor(q * (sorted.length - 1))]!;
          expect(Math.abs(sketch.quantile(q)! - exact)).toBeLessThanOrEqual(exact * RELATIVE_ACCURACY * (1 + 1e-9));
        }
      }),
    );
  });

  it('counts its times, and those that are longer than one as far as its accuracy tells', () => {
    fc.assert(
      fc.property(times, time, (values, limit) => {
        const sketch = sketchOf(values);
        expect(sketch.count()).toBe(values.length);
        const longer = (than: number) => values.filter((value) => value > than).length;
        const slack = 1 + 2.2 * RELATIVE_ACCURACY; // a bucket is as wide
        expect(sketch.above(limit)).toBeLessThanOrEqual(longer(limit / slack));
        expect(sketch.above(limit)).toBeGreaterThanOrEqual(longer(limit * slack));
      }),
    );
  });

  it('is the same however its parts are merged, and as if it had been one from the start', () => {
    fc.assert(
      fc.property(times, times, times, (a, b, c) => {
        const [one, two, three] = [sketchOf(a), sketchOf(b), sketchOf(c)];
        const whole = sketchOf([...a, ...b, ...c]).pairs();
        expect(merged(merged(one, two), three).pairs()).toEqual(whole);
        expect(merged(one, merged(three, two)).pairs()).toEqual(whole);
        expect(merged(three, one, two).pairs()).toEqual(whole);
        expect(LatencySketch.of(whole).pairs()).toEqual(whole);
      }),
    );
  });

  it('is small whatever comes, and knows nothing of no times', () => {
    const sketch = sketchOf([0, -1, 0.2, Number.MAX_VALUE, ...Array.from({ length: 10_000 }, (_, n) => n ** 3)]);
    expect(sketch.pairs().length).toBeLessThanOrEqual(2 * 253);
    expect(sketch.quantile(0)).toBeCloseTo(0.95, 1);
    expect(new LatencySketch().quantile(0.5)).toBeNull();
  });
});
