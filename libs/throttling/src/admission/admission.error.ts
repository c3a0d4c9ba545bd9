/** The refusal of what a process cannot work on in time. */
import { StockyardError } from '#libs/kernel';
import type { Priority } from './visitor';

export interface Overload {
  readonly priority: Priority;
  /** Requests at once. */
  readonly limit: number;
  readonly retryAfterSeconds: number;
}

export function overloaded({ priority, limit, retryAfterSeconds }: Overload): StockyardError {
  return new StockyardError({
    code: 'overloaded',
    category: 'unavailable',
    message: `More requests arrive than can be answered in time, and this one was not begun; retry in ${retryAfterSeconds} s.`,
    retryAfterSeconds,
    details: { limit: 'concurrency', maximum: limit, remaining: 0, priority, retry_after: retryAfterSeconds },
  });
}
