/** A job that has failed for good, as its tenant sees it. */
import type { JobClass } from '../job-class';
import type { JobFailure } from '../jobs/job';

export interface DeadLetter {
  readonly id: string;
  /** The job, which is `failed` for as long as the letter lies here. */
  readonly job_id: string;
  readonly type: string;
  readonly class: JobClass;
  /** As a producer wrote it: of any shape. */
  readonly payload: unknown;
  readonly error: JobFailure;
  /** Runs that were made of it; 0 where it was refused before the first. */
  readonly attempts: number;
  readonly failed_at: Date;
}

export interface DeadLetterQuery {
  readonly limit: number;
  readonly type?: string | undefined;
  readonly cursor?: string | undefined;
}

/** Letters that one request replays at most. */
export const MOST_REPLAYED = 100;

export interface ReplayQuery {
  readonly type: string;
  /** Default MOST_REPLAYED. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** What a replay of many letters came to. */
export interface ReplayedLetters {
  readonly replayed: number;
  /** Letters that stay, and why. */
  readonly refused: readonly { readonly id: string; readonly code: string }[];
  /** Where to go on; null where there are no more. Letters that came since the first request are none of it: they may be its own. */
  readonly next: { readonly after: string; readonly until: string } | null;
}
