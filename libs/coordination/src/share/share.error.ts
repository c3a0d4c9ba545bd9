/** The refusal of a tenant that uses its whole share. */
import { StockyardError } from '#libs/kernel';

const COUNTS = { max_connections: 'concurrent transactions', max_concurrent_requests: 'requests at once' } as const;

/** Limits that are counted by leases. */
export type SharedLimit = keyof typeof COUNTS;

export function shareExceeded(limit: SharedLimit, maximum: number): StockyardError {
  return new StockyardError({
    code: 'limit_exceeded',
    category: 'limited',
    message: `The limit ${limit} of ${maximum} ${COUNTS[limit]} is used up; retry with fewer requests at once.`,
    details: { limit, maximum, in_use: maximum },
    retryAfterSeconds: 1,
  });
}
