/** Rounds are paired and interleaved; what slows the machine down does not change the ratio. */
import fc from 'fast-check';
import { comparePaired, FEWEST_PAIRS } from './paired-rounds';

/** Two contestants on a clock of their own, of which an operation takes so many milliseconds. */
function race(options: { subjectMs: number; referenceMs: number; slowdown?: (nowMs: number) => number }) {
  const { slowdown = () => 1 } = options;
  const state = { nowMs: 0, ran: '' };
  const contestant = (name: string, letter: string, ms: number) => ({
    name,
    run: (operations: number) => {
      state.ran += letter;
      state.nowMs += operations * ms * slowdown(state.nowMs);
    },
  });
  const comparison = {
    name: 'race',
    subject: contestant('subject', 'A', options.subjectMs),
    reference: contestant('reference', 'B', options.referenceMs),
  };
  return { state, comparison, nowMs: () => state.nowMs };
}

const WIDE = { rounds: 9, roundMs: 100, budgetMs: 1e12 };

describe('paired rounds', () => {
  it('alternate after the warm-up of each', async () => {
    const { comparison, state, nowMs } = race({ subjectMs: 1, referenceMs: 2 });
    const result = await comparePaired(comparison, { ...WIDE, rounds: 4, nowMs });
    expect(state.ran).toMatch(/^A+B+(AB){4}$/);
    expect(result).toMatchObject({
      pairs: 4,
      ratio: { median: 2 },
      subject: { median: 1_000 },
      reference: { median: 500 },
    });
  });

  it('find the true ratio at any speeds', async () => {
    const ms = fc.double({ min: 0.001, max: 50, noNaN: true });
    await fc.assert(
      fc.asyncProperty(ms, ms, async (subjectMs, referenceMs) => {
        const { comparison, nowMs } = race({ subjectMs, referenceMs });
        const { ratio } = await comparePaired(comparison, { ...WIDE, nowMs });
        expect(ratio.median).toBeCloseTo(referenceMs / subjectMs, 6);
      }),
    );
  });

  it('keep the ratio where a machine becomes slower all the time, and where one pair is disturbed', async () => {
    const drifting = race({ subjectMs: 1, referenceMs: 2, slowdown: (nowMs) => 1 + nowMs / 100_000 });
    const drifted = await comparePaired(drifting.comparison, { ...WIDE, nowMs: drifting.nowMs });
    expect(drifted.ratio.median).toBeCloseTo(2, 1);
    const hiccup = race({
      subjectMs: 1,
      referenceMs: 2,
      slowdown: (nowMs) => (nowMs > 1_000 && nowMs < 1_150 ? 30 : 1),
    });
    const disturbed = await comparePaired(hiccup.comparison, { ...WIDE, nowMs: hiccup.nowMs });
    expect(disturbed.ratio.median).toBeCloseTo(2, 6);
    expect(disturbed.ratio.max - disturbed.ratio.min).toBeGreaterThan(0.5);
  });

  it('compare median times of single operations, which a few slow ones do not move', async () => {
    const state = { nowMs: 0, done: 0 };
    const contestant = (name: string, ms: number) => ({
      name,
      run: (operations: number) => {
        expect(operations).toBe(1);
        state.done += 1;
        state.nowMs += state.done % 5 === 0 ? ms * 50 : ms;
      },
    });
    const [subject, reference] = [contestant('subject', 3), contestant('reference', 2)];
    const comparison = { name: 'race', measures: 'p50', subject, reference } as const;
    const result = await comparePaired(comparison, { ...WIDE, nowMs: () => state.nowMs });
    expect(result).toMatchObject({
      pairs: 9,
      ratio: { median: 1.5 },
      subject: { median: 3 },
      reference: { median: 2 },
    });
  });

  it('end with the budget, but not before there is something to take a median of', async () => {
    const { comparison, nowMs } = race({ subjectMs: 1, referenceMs: 1 });
    expect((await comparePaired(comparison, { ...WIDE, rounds: 100, budgetMs: 1_000, nowMs })).pairs).toBeLessThan(10);
    expect((await comparePaired(comparison, { ...WIDE, rounds: 100, budgetMs: 0, nowMs })).pairs).toBe(FEWEST_PAIRS);
  });

  it('end with what the comparison has to tell', async () => {
    const { comparison, nowMs } = race({ subjectMs: 1, referenceMs: 1 });
    expect((await comparePaired({ ...comparison, pairs: 2 }, { ...WIDE, nowMs })).pairs).toBe(2);
    expect((await comparePaired({ ...comparison, pairs: 99 }, { ...WIDE, nowMs })).pairs).toBe(WIDE.rounds);
  });

  it('fail with the contestant that fails', async () => {
    const { comparison } = race({ subjectMs: 1, referenceMs: 1 });
    const broken = { ...comparison.reference, run: () => Promise.reject(new Error('out of stock')) };
    await expect(comparePaired({ ...comparison, reference: broken }, { ...WIDE, roundMs: 0 })).rejects.toThrow(
      'out of stock',
    );
  });
});
