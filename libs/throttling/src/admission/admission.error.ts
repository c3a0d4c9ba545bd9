/** The refusals of what a process cannot work on in time, and of what one tenant sends beyond its window. */
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

export interface HeldBack {
  readonly priority: Priority;
  /** Requests that the tenant may have under way now, and has. */
  readonly window: number;
  readonly underWay: number;
  readonly retryAfterSeconds: number;
}

export function heldBack({ priority, window, underWay, retryAfterSeconds }: HeldBack): StockyardError {
  return new StockyardError({
    code: 'limit_exceeded',
    category: 'limited',
    message:
      `More requests come at once from this caller than can be answered beside those of others, and this one was not begun; ` +
      `retry in ${retryAfterSeconds} s with fewer at once.`,
    retryAfterSeconds,
    details: { limit: 'concurrency', maximum: window, in_use: underWay, priority },
  });
}
