import * as fc from 'fast-check';
import { PERIOD_SECONDS, Processor } from './processor';
import { exponential, randomNumbers } from './random';

describe('a processor', () => {
  it('does one thing after another', () => {
    const processor = new Processor(1, 0);
    expect(processor.serve(1, 0.5)).toBeCloseTo(1.5, 9);
    expect(processor.serve(1.2, 0.5)).toBeCloseTo(2, 9);
    expect(processor.serve(3, 0.01)).toBeCloseTo(3.01, 9);
  });

  it('stands still when the quota of its period is used up', () => {
    const processor = new Processor(0.5, 0);
    // 50 ms in each 100: the first 50 at once, the rest from 100 ms on.
    expect(processor.serve(0, 0.05)).toBeCloseTo(0.05, 9);
    expect(processor.serve(0, 0.01)).toBeCloseTo(0.11, 9);
    expect(processor.serve(0.12, 0.1)).toBeCloseTo(0.31, 9); // 40 ms until 0.16, 50 until 0.25, 10 until 0.31
  });

  it('has spent no more than its limit lets it', () => {
    const processor = new Processor(0.5, 0);
    processor.serve(0, 2);
    expect(processor.spent(1)).toBeCloseTo(0.5, 1);
    expect(processor.spent(10)).toBeCloseTo(2, 9);
  });

  it('keeps time and work, whatever comes', () => {
    const work = fc.array(fc.tuple(fc.double({ min: 0, max: 0.3, noNaN: true }), fc.double({ min: 0, max: 0.2, noNaN: true })), { minLength: 1, maxLength: 60 }); // prettier-ignore
    fc.assert(
      fc.property(work, fc.double({ min: 0.05, max: 2, noNaN: true }), (all, limit) => {
        const processor = new Processor(limit, 0);
        let [at, before, sum] = [0, 0, 0];
        for (const [gap, seconds] of all) {
          at += gap;
          sum += seconds;
          const done = processor.serve(at, seconds);
          expect(done).toBeGreaterThanOrEqual(Math.max(before, at + seconds) - 1e-9);
          // All of it together cannot have been faster than the quota of the periods that it touches.
          expect(sum).toBeLessThanOrEqual((Math.ceil(done / 0.1 + 1e-6) + 1) * 0.1 * processor.speed + 1e-6);
          before = done;
        }
        expect(processor.spent(before + 1)).toBeCloseTo(sum, 6);
      }),
    );
  });

  it('has the mean wait of a queue with one server and fixed work (Pollaczek and Khinchine)', () => {
    const [random, work, load, count] = [randomNumbers(7), 0.001, 0.8, 200_000];
    const processor = new Processor(1, 0);
    let [at, waited] = [0, 0];
    for (let request = 0; request < count; request += 1) {
      at += exponential(random, work / load);
      waited += processor.serve(at, work) - at - work;
    }
    const mean = (load * work) / (2 * (1 - load));
    expect(waited / count / mean).toBeGreaterThan(0.95);
    expect(waited / count / mean).toBeLessThan(1.05);
  });

  it('waits as long by the stretch as one by one, when more comes than it can do', () => {
    const [each, whole] = [new Processor(0.5, 0), new Processor(0.5, 0)];
    for (let request = 0; request < 1_000; request += 1) each.serve(request / 1_000, 0.001);
    whole.flow(0, 1, 1);
    expect(Math.abs(whole.freeAt - each.freeAt)).toBeLessThan(PERIOD_SECONDS);
    whole.flow(1, 3, 0.2); // with the 0.5 that are left, less than the 1.0 that two seconds have
    expect(whole.freeAt).toBeLessThanOrEqual(3);
    expect(whole.spent(3)).toBeCloseTo(1.2, 9);
  });
});
