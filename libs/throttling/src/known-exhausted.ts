/**
 * What Redis has said is used up, so that who hammers at a limit costs Redis nothing. A key is refused until its reset,
 * counted from when Redis was asked, on a clock that only rises; at a limit other than the one that refused it, Redis is
 * asked again at once, so that a raised limit counts.
 */
import { LRUCache } from 'lru-cache';
import type { Check, Measure, Verdict } from './policy';

const MAX_KEYS = 50_000;
/** Redis says whole milliseconds, rounded up. */
const ROUNDING_MS = 1;

interface Refusal {
  readonly limit: number;
  readonly used: number;
  readonly resetAt: number;
  /** Redis is asked again from here on, though its reset may be later. */
  readonly askAt: number;
}

export class KnownExhausted {
  private readonly refusals = new LRUCache<string, Refusal>({ max: MAX_KEYS });

  /** `longestMs`: after this long Redis is asked again, as counters may have been deleted. */
  constructor(private readonly longestMs: number) {}

  /** Learns from a verdict of Redis, which was asked at `askedAtMs`. */
  note({ admitted, measures }: Verdict, askedAtMs: number): void {
    if (admitted) return;
    for (const { check, used, resetMs } of measures) {
      if (used < check.limit) continue;
      const resetAt = askedAtMs + resetMs;
      const askAt = Math.min(resetAt - ROUNDING_MS, askedAtMs + this.longestMs);
      this.refusals.set(check.key, { limit: check.limit, used, resetAt, askAt });
    }
  }

  /** The refusal of a request of which a check is known to be exhausted; undefined otherwise. */
  refuse(checks: readonly Check[], nowMs: number): Verdict | undefined {
    if (this.refusals.size === 0) return undefined;
    const measures = checks.flatMap((check): Measure[] => {
      const refusal = this.refusals.get(check.key);
      if (!refusal) return [];
      if (refusal.askAt <= nowMs || refusal.limit !== check.limit) {
        this.refusals.delete(check.key);
        return [];
      }
      return [{ check, used: refusal.used, resetMs: refusal.resetAt - nowMs }];
    });
    return measures.length === 0 ? undefined : { admitted: false, measures, by: 'memory' };
  }
}
