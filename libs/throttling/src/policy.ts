/** The rate-limit policies: what each counts, over which time, and what holds while Redis is away. */

export const POLICY_NAMES = ['api', 'api_calls_per_hour', 'auth', 'session', 'export', 'bulk', 'link'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export interface Policy {
  readonly name: PolicyName;
  /**
   * `sliding`: never more than the limit in any stretch of `windowMs`; quota returns up to a sixtieth of it late.
   * `bucket`: never more than the limit in any stretch of `windowMs`; each token returns exactly `windowMs` after it was taken.
   * `fixed`: never more than the limit from the first request on until `windowMs` later.
   * `aligned`: never more than the limit in a stretch that begins at a multiple of `windowMs` of Unix time, such as an hour.
   */
  readonly window: 'sliding' | 'bucket' | 'fixed' | 'aligned';
  readonly windowMs: number;
  /** A quota of the organization refuses with `limit_exceeded`, a rate with `rate_limit_exceeded`. */
  readonly kind: 'rate' | 'quota';
  /**
   * The limit in each of so many processes while Redis is away, at least 1; null refuses, as this work is too dear to be
   * let through uncounted.
   */
  insurance(limit: number, replicas: number): number | null;
}

const part = (limit: number, replicas: number): number => Math.max(1, Math.floor(limit / replicas));
const strictPart = (limit: number, replicas: number): number => part(limit / 2, replicas);
const nothing = (): null => null;

export const POLICIES: Readonly<Record<PolicyName, Policy>> = {
  /** Every request of a tenant. */
  api: { name: 'api', kind: 'rate', window: 'sliding', windowMs: MINUTE_MS, insurance: part },
  /** The same requests, in each hour of the clock: what an organization may use up. Named as its column in `tenant_limits`. */
  api_calls_per_hour: {
    name: 'api_calls_per_hour',
    kind: 'quota',
    window: 'aligned',
    windowMs: HOUR_MS,
    insurance: part,
  },
  /** Attempts to log in, per account and per address. Stricter alone: an attacker may have cut Redis off. */
  auth: { name: 'auth', kind: 'rate', window: 'fixed', windowMs: 15 * MINUTE_MS, insurance: strictPart },
  /** Refreshes and logouts, per token and per address. They prove more than a password does, and offices share an address. */
  session: { name: 'session', kind: 'rate', window: 'sliding', windowMs: MINUTE_MS, insurance: part },
  export: { name: 'export', kind: 'rate', window: 'bucket', windowMs: HOUR_MS, insurance: nothing },
  bulk: { name: 'bulk', kind: 'rate', window: 'bucket', windowMs: HOUR_MS, insurance: nothing },
  /** Downloads by those who were handed a link: as many as the tenant itself may call, and counted apart from its calls. */
  link: { name: 'link', kind: 'rate', window: 'sliding', windowMs: MINUTE_MS, insurance: part },
};

/** Of `session`, whatever the organization: it is known only when the token has been looked at. */
export const SESSION_LIMITS = { address: 600, token: 10 } as const;

/** One counter that a request must pass. */
export interface Check {
  readonly policy: Policy;
  readonly limit: number;
  /** Redis key of the counter. */
  readonly key: string;
}

/** What a check measured; after an admission it includes this request. */
export interface Measure {
  readonly check: Check;
  readonly used: number;
  /** Milliseconds until a part of the quota returns; at the limit, until a retry makes sense. */
  readonly resetMs: number;
}

export interface Verdict {
  /** False when any check was at its limit; then none of them was charged. */
  readonly admitted: boolean;
  /** One for each check; where memory decided, for those that it knows to be exhausted. */
  readonly measures: readonly Measure[];
  /** `memory`: this process remembers what Redis said. `insurance`: Redis is away, this process counts by itself. */
  readonly by: 'redis' | 'memory' | 'insurance';
}
