/**
 * Limits of this process alone, for the time that Redis is away: fixed windows in memory, each of the limit divided by the
 * processes that count it. Together they let through at most the limit, or one request each where there are more of them.
 */
import { StockyardError } from '#libs/kernel';
import { LRUCache } from 'lru-cache';
import type { Check, Measure, Verdict } from './policy';

const MAX_COUNTERS = 50_000;
const RETRY_AFTER_SECONDS = 5;

interface Counter {
  used: number;
  readonly endsAt: number;
}

function uncounted(check: Check): StockyardError {
  return new StockyardError({
    code: 'rate_limits_unavailable',
    category: 'unavailable',
    message: `Requests of the kind "${check.policy.name}" cannot be counted at the moment, so none is let through. Retry.`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    details: { policy: check.policy.name },
  });
}

export class LocalInsurance {
  private readonly counters = new LRUCache<string, Counter>({ max: MAX_COUNTERS });

  /**
   * `nowMs`: any clock that only rises; `replicas`: processes that count the same. Throws `rate_limits_unavailable` for
   * policies without insurance.
   */
  take(checks: readonly Check[], nowMs: number, replicas: number): Verdict {
    const insured = checks.map((check) => {
      const limit = check.policy.insurance(check.limit, replicas);
      if (limit === null) throw uncounted(check);
      return { ...check, limit };
    });
    const counters = insured.map((check) => this.counter(check, nowMs));
    const admitted = insured.every(({ limit }, index) => counters[index]!.used < limit);
    if (admitted) for (const counter of counters) counter.used += 1;
    const measures = insured.map((check, index): Measure => {
      const { used, endsAt } = counters[index]!;
      return { check, used, resetMs: endsAt - nowMs };
    });
    return { admitted, measures, by: 'insurance' };
  }

  private counter({ key, policy }: Check, nowMs: number): Counter {
    const found = this.counters.get(key);
    if (found && found.endsAt > nowMs) return found;
    const made: Counter = { used: 0, endsAt: nowMs + policy.windowMs };
    this.counters.set(key, made);
    return made;
  }
}
