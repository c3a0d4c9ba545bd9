/**
 * Paired, interleaved rounds: A B A B …, each a fixed time's worth of operations found in the warm-up. What disturbs the
 * machine for longer than a round disturbs both halves of a pair, so that the ratio within a pair is worth more than
 * either figure, and the median of the ratios more than the ratio of any medians.
 */
import type { Comparison, Contestant, Measure } from './bench';
import { quantile, type Spread, spread } from './statistics';

export interface RoundOptions {
  /** Pairs to measure. */
  readonly rounds: number;
  /** Length to aim at for one half of a pair, milliseconds. */
  readonly roundMs: number;
  /** No new pair is begun after this, milliseconds of measuring; at least FEWEST_PAIRS are. */
  readonly budgetMs: number;
  readonly nowMs?: () => number;
}

export interface ComparisonResult {
  readonly name: string;
  readonly pairs: number;
  /** Subject's figure ÷ reference's figure, pair by pair. */
  readonly ratio: Spread;
  /** Operations per second, or milliseconds of the median operation. */
  readonly subject: Spread;
  readonly reference: Spread;
}

export const FEWEST_PAIRS = 7;
const GROWTH_MAX = 10;
const OPERATIONS_MAX = 1e9;

/** Runs so many operations and answers milliseconds of the whole, and the figure. */
type Half = (
  contestant: Contestant,
  operations: number,
) => Promise<{ readonly tookMs: number; readonly figure: number }>;

/** `rate`: all at once. */
function rateOf(nowMs: () => number): Half {
  return async (contestant, operations) => {
    const began = nowMs();
    await contestant.run(operations);
    const tookMs = Math.max(nowMs() - began, Number.EPSILON);
    return { tookMs, figure: (operations / tookMs) * 1_000 };
  };
}

/** `p50`: one after another, each timed. */
function medianOf(nowMs: () => number): Half {
  return async (contestant, operations) => {
    const times: number[] = [];
    const began = nowMs();
    for (let before = began; times.length < operations;) {
      await contestant.run(1);
      const after = nowMs();
      times.push(after - before);
      before = after;
    }
    const figure = quantile(
      times.sort((one, other) => one - other),
      0.5,
    );
    return { tookMs: Math.max(nowMs() - began, Number.EPSILON), figure };
  };
}

/** `own`: the contestant's own figure. */
function ownOf(nowMs: () => number): Half {
  return async (contestant) => {
    const began = nowMs();
    const figure = await contestant.run(1);
    if (typeof figure !== 'number') throw new Error(`${contestant.name} answered no figure.`);
    return { tookMs: nowMs() - began, figure };
  };
}

const HALVES: Readonly<Record<Measure, (nowMs: () => number) => Half>> = { rate: rateOf, p50: medianOf, own: ownOf };

/** Warms up with growing rounds until one takes as long as wanted; what it then did is a round's worth. */
async function calibrate(half: Half, contestant: Contestant, roundMs: number): Promise<number> {
  for (let operations = 1; ;) {
    const { tookMs } = await half(contestant, operations);
    if (tookMs >= roundMs || operations >= OPERATIONS_MAX) return operations;
    operations = Math.ceil(operations * Math.min(GROWTH_MAX, Math.max(1.2, (1.1 * roundMs) / tookMs)));
  }
}

export async function comparePaired(comparison: Comparison, options: RoundOptions): Promise<ComparisonResult> {
  const nowMs = options.nowMs ?? (() => performance.now());
  const { subject, reference, measures = 'rate' } = comparison;
  const half = HALVES[measures](nowMs);
  const worthOf = async (contestant: Contestant) =>
    measures === 'own' ? 1 : await calibrate(half, contestant, options.roundMs);
  const [ofSubject, ofReference] = [await worthOf(subject), await worthOf(reference)];
  const wanted = Math.min(options.rounds, comparison.pairs ?? Infinity);
  const pairs: { readonly subject: number; readonly reference: number }[] = [];
  const began = nowMs();
  const inTime = (): boolean => pairs.length < FEWEST_PAIRS || nowMs() - began < options.budgetMs;
  while (pairs.length < wanted && inTime()) {
    pairs.push({
      subject: (await half(subject, ofSubject)).figure,
      reference: (await half(reference, ofReference)).figure,
    });
  }
  return {
    name: comparison.name,
    pairs: pairs.length,
    ratio: spread(pairs.map((pair) => pair.subject / pair.reference)),
    subject: spread(pairs.map((pair) => pair.subject)),
    reference: spread(pairs.map((pair) => pair.reference)),
  };
}
