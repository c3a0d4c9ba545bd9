import { type Measure, POLICIES, type PolicyName, type Verdict } from './policy';
import { exceeded, rateLimitExceeded, rateLimitHeaders } from './verdict';

const measure = (name: PolicyName, limit: number, used: number, resetMs: number): Measure => ({
  check: { policy: POLICIES[name], limit, key: `k:${name}:${used}` },
  used,
  resetMs,
});

const verdictOf = (admitted: boolean, measures: Measure[]): Verdict => ({ admitted, measures, by: 'redis' });

describe('rate limit headers', () => {
  it('tell each policy as structured fields and the tightest in the older trio', () => {
    const verdict = verdictOf(true, [measure('api', 100, 1, 60_500), measure('export', 10, 4, 1_200_000)]);
    expect(rateLimitHeaders(verdict)).toEqual({
      'RateLimit-Policy': '"api";q=100;w=60, "export";q=10;w=3600',
      RateLimit: '"api";r=99;t=61, "export";r=6;t=1200',
      'X-RateLimit-Limit': '10',
      'X-RateLimit-Remaining': '6',
      'X-RateLimit-Reset': '1200',
    });
  });

  it('tell of one policy once, at its tightest', () => {
    const verdict = verdictOf(true, [measure('auth', 5, 1, 900_000), measure('auth', 5, 4, 100_000)]);
    expect(rateLimitHeaders(verdict)).toMatchObject({ RateLimit: '"auth";r=1;t=100' });
  });

  it('never tell of less than nothing left, nor of a reset in no time', () => {
    const verdict = verdictOf(false, [measure('api', 5, 9, 0)]);
    expect(rateLimitHeaders(verdict)).toMatchObject({ RateLimit: '"api";r=0;t=1', 'X-RateLimit-Remaining': '0' });
  });
});

describe('a refusal', () => {
  it('names policy, limit, what is left and when to come back', () => {
    const verdict = verdictOf(false, [measure('api', 100, 5, 60_000), measure('bulk', 5, 5, 90_001)]);
    expect(rateLimitExceeded(verdict)).toMatchObject({
      code: 'rate_limit_exceeded',
      category: 'limited',
      retryAfterSeconds: 91,
      details: { policy: 'bulk', limit: 5, remaining: 0, retry_after: 91 },
    });
  });

  it('of a quota names the limit of the organization and the end of its hour', () => {
    const verdict = verdictOf(false, [measure('api', 100, 5, 60_000), measure('api_calls_per_hour', 7, 7, 90_001)]);
    expect(rateLimitExceeded(verdict)).toMatchObject({
      code: 'limit_exceeded',
      category: 'limited',
      retryAfterSeconds: 91,
      details: { limit: 'api_calls_per_hour', maximum: 7, in_use: 7 },
    });
  });

  it('is for the exceeded check that takes longest', () => {
    const verdict = verdictOf(false, [measure('api', 5, 5, 10_000), measure('bulk', 5, 5, 90_000)]);
    expect(exceeded(verdict).check.policy.name).toBe('bulk');
  });
});
