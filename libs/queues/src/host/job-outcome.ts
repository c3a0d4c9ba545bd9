/** How a run of a job can end, and what an error means for it. */
import { StockyardError } from '#libs/kernel';
import type { JobFailure } from '../jobs/job';

export type JobOutcome =
  | { readonly kind: 'completed' }
  /** There was nothing to do: finished, cancelled, or another worker has it. */
  | { readonly kind: 'skipped' }
  /** The worker stops: back to the queue, no attempt used. */
  | { readonly kind: 'handed_back' }
  /** Something it needs is out: again later, no attempt used. */
  | { readonly kind: 'later'; readonly delayMs: number }
  /** Failed this time; an attempt is used and there are more. */
  | { readonly kind: 'retry'; readonly error: Error }
  /** Failed for good. */
  | { readonly kind: 'failed'; readonly error: Error };

/** Thrown between two steps of a handler when the worker stops. */
export class JobInterrupted extends Error {
  constructor() {
    super('The worker stops; the job goes on from its checkpoint elsewhere.');
  }
}

/** A run took longer than its type allows: one attempt has failed. */
export class JobTimedOut extends Error {
  constructor(timeoutMs: number) {
    super(`The run took longer than ${timeoutMs} ms.`);
  }
}

/** Thrown between two steps when the row no longer lets this run go on: cancelled, or taken over. */
export class JobSuperseded extends Error {
  constructor() {
    super('This run of the job has been cancelled or taken over.');
  }
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** The pause before a job that waits for a dependency is tried again; `waits` is how often it has waited. */
export function pauseMs(waits: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(waits, 10), LONGEST_PAUSE_MS);
}

export interface RunFacts {
  /** 1 is the first attempt. */
  readonly attempt: number;
  readonly attempts: number;
  readonly waits: number;
}

/** What an error that ended a run means. */
export function outcomeOf(thrown: unknown, { attempt, attempts, waits }: RunFacts): JobOutcome {
  if (thrown instanceof JobInterrupted) return { kind: 'handed_back' };
  if (thrown instanceof JobSuperseded) return { kind: 'skipped' };
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error instanceof StockyardError) {
    if (isSuspension(error)) return { kind: 'later', delayMs: LONGEST_PAUSE_MS };
    if (error.category === 'unavailable' || error.category === 'limited') {
      const { retryAfterSeconds = 0 } = error;
      return { kind: 'later', delayMs: Math.max(pauseMs(waits), retryAfterSeconds * 1_000) };
    }
    if (error.category !== 'internal') return { kind: 'failed', error };
  }
  return attempt < attempts ? { kind: 'retry', error } : { kind: 'failed', error };
}

/** The organization was suspended while the job ran: it goes on when the organization does. */
function isSuspension({ code, details }: StockyardError): boolean {
  return code === 'organization_not_active' && details?.state === 'suspended';
}

/** The error as its tenant sees it: a refusal in its own words, anything else without a word of the inside. */
export function failureOf(error: Error): JobFailure {
  if (error instanceof StockyardError && error.category !== 'internal') {
    return { code: error.code, message: error.message };
  }
  if (error instanceof JobTimedOut) return { code: 'job_timeout', message: error.message };
  return { code: 'internal_error', message: 'The job failed on our side; its id names the log entries.' };
}
