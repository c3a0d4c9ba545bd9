/**
 * Paired, interleaved rounds: A B A B …, each a fixed time's worth of operations found in the warm-up. What disturbs the
 * machine for longer than a round disturbs both halves of a pair, so that the ratio within a pair is worth more than
 * either rate, and the median of the ratios more than the ratio of any medians.
 */
import type { Comparison, Contestant } from './bench';
import { type Spread, spread } from './statistics';

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
  /** Subject's rate ÷ reference's rate, pair by pair. */
  readonly ratio: Spread;
  /** Operations per second. */
  readonly subject: Spread;
  readonly reference: Spread;
}

export const FEWEST_PAIRS = 3;
const GROWTH_MAX = 10;
const OPERATIONS_MAX = 1e9;

interface Timed {
  readonly contestant: Contestant;
  readonly operations: number;
}

async function milliseconds(contestant: Contestant, operations: number, nowMs: () => number): Promise<number> {
  const began = nowMs();
  await contestant.run(operations);
  return Math.max(nowMs() - began, Number.EPSILON);
}

/** Warms up with growing rounds until one takes as long as wanted; what it then did is a round's worth. */
async function calibrate(contestant: Contestant, roundMs: number, nowMs: () => number): Promise<Timed> {
  for (let operations = 1; ;) {
    const tookMs = await milliseconds(contestant, operations, nowMs);
    if (tookMs >= roundMs || operations >= OPERATIONS_MAX) return { contestant, operations };
    operations = Math.ceil(operations * Math.min(GROWTH_MAX, Math.max(1.2, (1.1 * roundMs) / tookMs)));
  }
}

export async function comparePaired(comparison: Comparison, options: RoundOptions): Promise<ComparisonResult> {
  const nowMs = options.nowMs ?? (() => performance.now());
  const subject = await calibrate(comparison.subject, options.roundMs, nowMs);
  const reference = await calibrate(comparison.reference, options.roundMs, nowMs);
  const rate = async ({ contestant, operations }: Timed): Promise<number> =>
    (operations / (await milliseconds(contestant, operations, nowMs))) * 1_000;
  const rates: { readonly subject: number; readonly reference: number }[] = [];
  const began = nowMs();
  const inTime = (): boolean => rates.length < FEWEST_PAIRS || nowMs() - began < options.budgetMs;
  while (rates.length < options.rounds && inTime()) {
    rates.push({ subject: await rate(subject), reference: await rate(reference) });
  }
  return {
    name: comparison.name,
    pairs: rates.length,
    ratio: spread(rates.map((pair) => pair.subject / pair.reference)),
    subject: spread(rates.map((pair) => pair.subject)),
    reference: spread(rates.map((pair) => pair.reference)),
  };
}
