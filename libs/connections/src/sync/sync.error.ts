/** How a run of a sync ends that does not come to its end, in the categories by which the queue decides. */
import { StockyardError } from '#libs/kernel';
import type { BreakerChange } from '../breaker/breaker';
import type { SourceFailure } from './source.error';

export function connectionGone(): StockyardError {
  return new StockyardError({
    code: 'connection_gone',
    category: 'not_found',
    message: 'The connection does not exist, or no longer; a schedule that names it should go too.',
  });
}

/** Back to the queue without an attempt: the slot is free meanwhile. */
export function putOff(failure: SourceFailure, pauseMs: number): StockyardError {
  return new StockyardError({
    code: failure.code,
    category: 'unavailable',
    message: failure.message,
    retryAfterSeconds: Math.max(pauseMs, failure.retryAfterMs) / 1_000,
    cause: failure,
  });
}

/** For good: another try of the same brings nothing, or the breaker has opened. */
export function sourceFailed(failure: SourceFailure, { failures, pauseMs }: BreakerChange): StockyardError {
  const { code, message, isTransient } = failure;
  const opened =
    pauseMs === null
      ? ''
      : ` ${failures} failures in a row; it is asked again in ${seconds(pauseMs)} s at the soonest.`;
  return new StockyardError({
    code: isTransient ? 'source_failing' : code,
    category: 'unprocessable',
    message: `${message}${opened}`,
    cause: failure,
  });
}

const seconds = (ms: number): number => Math.ceil(ms / 1_000);

/** Its time in the slot is over; it goes on as soon as it is its turn again. */
export function turnOver(): StockyardError {
  return new StockyardError({
    code: 'sync_goes_on',
    category: 'unavailable',
    message: 'The sync has had its turn; it goes on.',
  });
}
