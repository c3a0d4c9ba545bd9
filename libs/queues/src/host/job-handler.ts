/** What runs a job. A handler is a provider with @HandlesJob(definition); the worker finds it by that. */
import { SetMetadata } from '@nestjs/common';
import type { Statement, StatementResult } from '#libs/database';
import type { JobProgress } from '../jobs/job';
import type { LogLevel } from '../jobs/job-log';
import type { JobDefinition } from '../registry/job-definition';

export interface JobStep<Checkpoint> extends JobProgress {
  /** Where to go on from, once these statements have committed. JSON. */
  readonly checkpoint: Checkpoint;
  /** The effect of this step. */
  readonly statements: readonly Statement[];
}

/**
 * What a handler may ask of the run it is in. The tenant context is set. The calls that write throw when the job was
 * cancelled, was taken over by another worker, or when this worker stops: let those errors pass.
 */
export interface JobContext<Payload = unknown, Checkpoint = unknown> {
  readonly jobId: string;
  readonly payload: Payload;
  /** The last committed checkpoint; null before the first. */
  readonly checkpoint: Checkpoint | null;
  /** The counts that belong to the checkpoint, with what the statements of a step added to them. */
  readonly progress: JobProgress;
  /** Aborted when the worker stops, or the run is over its time. */
  readonly signal: AbortSignal;
  /** Throws when it is: for who has waited for something else with the signal. */
  stopIfAsked(): void;
  /**
   * One batch: moves the checkpoint and applies the statements, or neither. Each step takes effect once, however often
   * the job is run. Resolves with the results of the statements.
   */
  commit(step: JobStep<Checkpoint>): Promise<StatementResult<unknown>[]>;
  /**
   * A line for the job's log, which its tenant reads: nothing of the inside, no secrets. It is written with the next step, or with
   * the end of the run; what was logged in a step that never came is gone with it. 2,000 characters, the newest 1,000 lines.
   */
  log(level: LogLevel, message: string): void;
  /** Counts only, for jobs whose output is thrown away when they stop. */
  report(progress: JobProgress): Promise<void>;
}

export interface JobHandler<Payload = unknown, Checkpoint = unknown> {
  /**
   * Runs the job from its checkpoint to the end; resolves with its result (JSON, shown to the tenant). Throws a
   * StockyardError to refuse: `unavailable` and `limited` are tried again later, `internal` counts as an attempt, every
   * other category fails the job at once. Any other error counts as an attempt.
   */
  run(context: JobContext<Payload, Checkpoint>): Promise<Readonly<Record<string, unknown>>>;
}

export const HANDLES_JOB = 'stockyard:handles-job';

/** Marks a JobHandler provider. One handler a type. */
export const HandlesJob = (definition: JobDefinition): ClassDecorator => SetMetadata(HANDLES_JOB, definition.type);
