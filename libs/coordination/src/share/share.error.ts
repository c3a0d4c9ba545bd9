/** The refusal of a tenant that uses its whole share. */
import { StockyardError } from '#libs/kernel';

export function shareExceeded(limit: number): StockyardError {
  return new StockyardError({
    code: 'limit_exceeded',
    category: 'limited',
    message: `The limit max_connections of ${limit} concurrent transactions is used up; retry with fewer requests at once.`,
    details: { limit: 'max_connections', maximum: limit },
    retryAfterSeconds: 1,
  });
}
