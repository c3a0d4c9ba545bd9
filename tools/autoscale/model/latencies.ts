/** Counts durations in buckets that grow by a sixteenth of a doubling: a quantile is at most 4.5 % too high. */

const FIRST_SECONDS = 0.0005;
const STEPS = 16;
/** The last takes everything from 9 hours on. */
const BUCKETS = 26 * STEPS;

export class Latencies {
  private readonly counts = new Float64Array(BUCKETS);
  total = 0;

  add(seconds: number, weight = 1): void {
    const bucket = seconds <= FIRST_SECONDS ? 0 : Math.ceil(Math.log2(seconds / FIRST_SECONDS) * STEPS);
    this.counts[Math.min(bucket, BUCKETS - 1)]! += weight;
    this.total += weight;
  }

  /** 0 of nothing. */
  quantile(share: number): number {
    if (this.total === 0) return 0;
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.counts[bucket]!;
      if (seen >= this.total * share) return FIRST_SECONDS * 2 ** (bucket / STEPS);
    }
    return Infinity;
  }
}
