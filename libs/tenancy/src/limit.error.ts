/** The refusal of what is beyond one of an organization's limits. */
import { StockyardError } from '#libs/kernel';

export interface LimitRefusal {
  /** Column of `tenant_limits`, such as `max_users`. */
  readonly limit: string;
  readonly maximum: number;
  /** What is in use already. */
  readonly inUse: number;
  /** For a limit that renews itself: seconds until it does. */
  readonly retryAfterSeconds?: number | undefined;
}

/** `limit_exceeded`: 429 with Retry-After for a limit that renews itself, 403 for any other. */
export function limitExceeded({ limit, maximum, inUse, retryAfterSeconds }: LimitRefusal): StockyardError {
  const renews = retryAfterSeconds !== undefined;
  const remedy = renews ? `retry in ${retryAfterSeconds} s` : 'free some of it';
  return new StockyardError({
    code: 'limit_exceeded',
    category: renews ? 'limited' : 'forbidden',
    message: `The limit ${limit} of ${maximum} would be exceeded; ${remedy}, or ask the platform's operators for more.`,
    details: { limit, maximum, in_use: inUse },
    retryAfterSeconds,
  });
}
