/** Reads a verdict: which check matters most, and what is said of it to the client. */
import { StockyardError } from '#libs/kernel';
import { limitExceeded } from '#libs/tenancy';
import type { Measure, Verdict } from './policy';

const remaining = ({ check, used }: Measure): number => Math.max(0, check.limit - used);
const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));

/** The tightest first: least remaining, and of those the one that takes longest to return. */
function byTightness(a: Measure, b: Measure): number {
  return remaining(a) - remaining(b) || b.resetMs - a.resetMs;
}

/** The check that refused a request; of several the one with the longest wait, as only then a retry makes sense. */
export function exceeded({ measures }: Verdict): Measure {
  return [...measures].sort(byTightness)[0]!;
}

/** The tightest measure of each policy, in order of appearance: `auth` counts account and address separately. */
function byPolicy(measures: readonly Measure[]): Measure[] {
  const found = new Map<string, Measure>();
  for (const measure of measures) {
    const known = found.get(measure.check.policy.name);
    if (!known || byTightness(measure, known) < 0) found.set(measure.check.policy.name, measure);
  }
  return [...found.values()];
}

/**
 * The headers of a verdict, all from the same measurement: the structured fields of the IETF draft
 * (draft-ietf-httpapi-ratelimit-headers) for each policy, and the older trio for the tightest. Times in seconds.
 */
export function rateLimitHeaders(verdict: Verdict): Record<string, string> {
  const measures = byPolicy(verdict.measures);
  const tightest = exceeded(verdict);
  return {
    'RateLimit-Policy': measures
      .map(({ check }) => `"${check.policy.name}";q=${check.limit};w=${seconds(check.policy.windowMs)}`)
      .join(', '),
    RateLimit: measures
      .map((measure) => `"${measure.check.policy.name}";r=${remaining(measure)};t=${seconds(measure.resetMs)}`)
      .join(', '),
    'X-RateLimit-Limit': String(tightest.check.limit),
    'X-RateLimit-Remaining': String(remaining(tightest)),
    'X-RateLimit-Reset': String(seconds(tightest.resetMs)),
  };
}

/** The refusal (429) of a request that was not admitted: of an organization's quota, or of a rate. */
export function rateLimitExceeded(verdict: Verdict): StockyardError {
  const { check, used, resetMs } = exceeded(verdict);
  const retryAfterSeconds = seconds(resetMs);
  if (check.policy.kind === 'quota') {
    return limitExceeded({ limit: check.policy.name, maximum: check.limit, inUse: used, retryAfterSeconds });
  }
  return new StockyardError({
    code: 'rate_limit_exceeded',
    category: 'limited',
    message: `The limit "${check.policy.name}" of ${check.limit} requests is used up; retry in ${retryAfterSeconds} s.`,
    retryAfterSeconds,
    details: { policy: check.policy.name, limit: check.limit, remaining: 0, retry_after: retryAfterSeconds },
  });
}
