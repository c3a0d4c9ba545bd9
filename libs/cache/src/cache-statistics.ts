/** What became of reads since the process started. A hit rate is hits over hits, misses and bypassed reads. */

export const CACHE_OUTCOMES = ['hit_near', 'hit_far', 'joined', 'miss', 'bypassed', 'fill_refused'] as const;

/**
 * - `hit_near`, `hit_far`: answered by this process's memory, by Redis
 * - `joined`: waited for a load that was under way
 * - `miss`: loaded; `bypassed`: loaded because Redis is away
 * - `fill_refused`: a load that was not stored, because of a write meanwhile (counted beside its miss)
 */
export type CacheOutcome = (typeof CACHE_OUTCOMES)[number];

export class CacheStatistics {
  private readonly counts = new Map<CacheOutcome, number>(CACHE_OUTCOMES.map((outcome) => [outcome, 0]));

  count(outcome: CacheOutcome): void {
    this.counts.set(outcome, this.counts.get(outcome)! + 1);
  }

  snapshot(): Readonly<Record<CacheOutcome, number>> {
    return Object.fromEntries(this.counts) as Record<CacheOutcome, number>;
  }
}
