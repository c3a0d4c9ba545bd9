/** A job as its tenant sees it. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import type { JobClass } from '../job-class';

/**
 * State machine: queued → running → completed | failed; running → queued (handed back or to be tried again);
 * queued | running → cancelled. The last three are final, until who may retries it: failed | cancelled → queued, next round.
 */
export const JOB_STATES = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Why a job failed; shown to its tenant. */
export interface JobFailure {
  readonly code: string;
  readonly message: string;
}

export interface JobProgress {
  /** Items that are done with, those that failed included. */
  readonly processed: number;
  readonly failed: number;
  /** Known or estimated number of items; null while unknown. */
  readonly total: number | null;
}

export interface Job extends JobProgress {
  readonly id: string;
  readonly type: string;
  readonly class: JobClass;
  readonly state: JobState;
  readonly payload: { readonly version: number; readonly data: unknown };
  readonly checkpoint: unknown;
  readonly result: unknown;
  readonly error: JobFailure | null;
  readonly attempts: number;
  /** 1 is the most urgent of its tenant's jobs, 10 the least. */
  readonly priority: number;
  readonly dedupe_key: string | null;
  /** Not before. */
  readonly run_at: Date | null;
  /** null: as many as its type says. */
  readonly max_attempts: number | null;
  /** How often it was queued again after it had failed or been cancelled. */
  readonly round: number;
  /** Number of the newest line of its log; 0 for none. */
  readonly log_lines: number;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
}

/** A line of the input that was left out, and why. */
export interface JobLineError {
  /** 1 is the first line of the file. */
  readonly line: number;
  readonly code: string;
  readonly field: string | null;
  readonly message: string;
}

/** No worker will touch it again, unless it is retried. */
export function isFinal(state: JobState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

export const DEFAULT_PRIORITY = 5;

/** The version that a row's payload says; 0 where it says nothing readable, for the consumer to refuse. */
export function versionOf(payload: unknown): number {
  const { version } = (payload ?? {}) as { version?: unknown };
  return Number.isInteger(version) && (version as number) > 0 ? (version as number) : 0;
}

const IDENTITY = {
  job_id: Fields.id(),
  organization_id: Fields.id(),
  type: Fields.text(100, 'Job type.'),
  version: Fields.count('Version of the payload.'),
  round: Type.Optional(Type.Integer({ minimum: 1, description: 'Of a job that was queued again after its end.' })),
  consistency: Type.Optional(Type.String({ maxLength: 128, description: 'Sealed token of what caused the job.' })),
};

/** What travels through outbox and queue: which job to run. Everything else stands in its row. */
export const JOB_REFERENCE = shape(
  closed({ ...IDENTITY, tag: Type.Optional(Type.Number({ description: 'Place in the fair order of its class.' })) }),
);
export type JobReference = ShapeType<typeof JOB_REFERENCE>;

/** The outbox row of a new job: the reference, and what the queue has to know beside it. */
export const JOB_QUEUED = shape(
  closed({
    ...IDENTITY,
    attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    run_at: Type.Optional(Fields.timestamp('Not before.')),
    ahead_of: Type.Optional(Type.Array(Fields.id(), { maxItems: 16, description: 'Less urgent jobs of the tenant.' })),
  }),
);
