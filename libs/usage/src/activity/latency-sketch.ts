/**
 * A distribution of times in so little room that one can be kept for every route and minute: DDSketch (Masson, Rim, Lee, VLDB 2019).
 * A time falls into the bucket ⌈log_γ(µs)⌉, and a bucket's middle is within 5 % of all its times. Merging adds counts, so it does
 * not matter in which order, or where: `merge_sketches` in SQL does the same.
 */

/** Greatest relative error of a quantile. */
export const RELATIVE_ACCURACY = 0.05;
const GAMMA = (1 + RELATIVE_ACCURACY) / (1 - RELATIVE_ACCURACY);
const LOG_GAMMA = Math.log(GAMMA);
/** Longer ones count as this: a day. Bounds the sketch to some 250 buckets. */
const LONGEST_US = 86_400_000_000;

const US_PER_MS = 1_000;

/** Microseconds as people read them: milliseconds, to the microsecond. */
export function milliseconds(us: number): number {
  return Math.round(us) / US_PER_MS;
}

export class LatencySketch {
  private readonly counts = new Map<number, number>();

  /** Of sorted pairs, as they are stored: bucket, count, bucket, count, … */
  static of(pairs: readonly number[]): LatencySketch {
    const sketch = new LatencySketch();
    for (let index = 0; index + 1 < pairs.length; index += 2) sketch.addTo(pairs[index]!, pairs[index + 1]!);
    return sketch;
  }

  /** Adds a time; what is below a microsecond counts as one. */
  add(us: number): void {
    const within = Math.min(Math.max(us, 1), LONGEST_US);
    this.addTo(Math.ceil(Math.log(within) / LOG_GAMMA), 1);
  }

  merge(other: LatencySketch): void {
    for (const [bucket, count] of other.counts) this.addTo(bucket, count);
  }

  /** The time below which the part `q` (0 to 1) of all times lies, in microseconds; null without times. */
  quantile(q: number): number | null {
    const pairs = this.sorted();
    const total = this.count();
    if (total === 0) return null;
    const rank = Math.floor(q * (total - 1));
    let seen = 0;
    for (const [bucket, count] of pairs) {
      seen += count;
      if (seen > rank) return middleOf(bucket);
    }
    return null;
  }

  /** The same in milliseconds. */
  quantileMs(q: number): number | null {
    const us = this.quantile(q);
    return us === null ? null : milliseconds(us);
  }

  /** How many times there are. */
  count(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** How many of them are longer than `us`, as far as buckets tell: each counts as its middle. */
  above(us: number): number {
    let above = 0;
    for (const [bucket, count] of this.counts) if (middleOf(bucket) > us) above += count;
    return above;
  }

  /** Sorted pairs, flat. */
  pairs(): number[] {
    return this.sorted().flat();
  }

  private sorted(): [bucket: number, count: number][] {
    return [...this.counts].sort(([a], [b]) => a - b);
  }

  private addTo(bucket: number, count: number): void {
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + count);
  }
}

function middleOf(bucket: number): number {
  return (2 * GAMMA ** bucket) / (GAMMA + 1);
}
