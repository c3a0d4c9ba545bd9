/** The JobContext of one run: every write carries the guard, tells the watchers, and stops when the worker does. */
import { lazyCommit, type Statement, type StatementResult, type TenantDatabase } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import type { PlatformEvents } from '#libs/messaging';
import type { Job, JobProgress } from '../jobs/job';
import { LogBuffer, type LogLevel, type NewLogLine } from '../jobs/job-log';
import { publishProgress } from '../jobs/job-progress';
import { advanceJob, CHECKPOINT_MOVED, jobProgress, reportJob } from '../jobs/job.statements';
import type { JobContext, JobStep } from './job-handler';
import type { PacedRun } from '../pace/job-pace.service';
import { JobInterrupted, JobSuperseded, JobTimedOut } from './job-outcome';

export interface RunTools {
  readonly database: TenantDatabase;
  readonly events: PlatformEvents;
  readonly organizationId: string;
  readonly signal: AbortSignal;
  readonly keepsCheckpoint: boolean;
  readonly turn: Pick<PacedRun, 'again'>;
}

export class JobRun implements JobContext {
  checkpoint: unknown;
  progress: JobProgress;
  private readonly logged = new LogBuffer();
  /** Whether a crash of the server may have taken the last checkpoint with it. */
  private unsure = false;

  constructor(
    private readonly job: Job,
    private readonly tools: RunTools,
  ) {
    this.checkpoint = job.checkpoint;
    this.progress = { processed: job.processed, failed: job.failed, total: job.total };
  }

  get jobId(): string {
    return this.job.id;
  }

  get payload(): unknown {
    return this.job.payload.data;
  }

  get signal(): AbortSignal {
    return this.tools.signal;
  }

  stopIfAsked(): void {
    const { signal } = this.tools;
    if (signal.aborted) throw signal.reason instanceof JobTimedOut ? signal.reason : new JobInterrupted();
  }

  async commit(step: JobStep<unknown>): Promise<StatementResult<unknown>[]> {
    this.stopIfAsked();
    if (!this.tools.keepsCheckpoint) throw new Error(`${this.job.type} is repeatable: it keeps no checkpoint.`);
    await this.tools.turn.again();
    const lines = this.logged.peek();
    // Reading is done again from the checkpoint before, where the server loses this one.
    const isLazy = step.statements.length === 0;
    const before = [...(isLazy ? [lazyCommit()] : []), this.guard(step, lines)];
    const results = await this.guarded([...before, ...step.statements, jobProgress(this.job.id)]);
    const [progress] = results[results.length - 1]!.rows as JobProgress[];
    this.logged.written(lines);
    this.checkpoint = step.checkpoint;
    this.unsure = isLazy;
    this.moved(progress ?? step);
    return results.slice(before.length, -1);
  }

  async report(progress: JobProgress): Promise<void> {
    this.stopIfAsked();
    const { processed, failed, total } = progress;
    const { id, round } = this.job;
    const lines = this.logged.peek();
    const report = reportJob(id, round, JSON.stringify(lines), processed, failed, total);
    const [, reported] = await this.tools.database.batch([lazyCommit(), report]);
    if (reported!.rows.length === 0) throw new JobSuperseded();
    this.logged.written(lines);
    this.moved(progress);
  }

  log(level: LogLevel, message: string): void {
    this.logged.add(level, message);
  }

  /** What was logged since the last step. */
  unwritten(): readonly NewLogLine[] {
    return this.logged.peek();
  }

  private guard(step: JobStep<unknown>, lines: readonly NewLogLine[]): Statement {
    const { checkpoint, processed, failed, total } = step;
    const { id, round } = this.job;
    const seen = this.checkpoint === null ? null : JSON.stringify(this.checkpoint);
    const [log, next] = [JSON.stringify(lines), JSON.stringify(checkpoint)];
    return advanceJob(id, round, log, seen, next, processed, failed, total);
  }

  private async guarded(statements: readonly Statement[]): Promise<StatementResult<unknown>[]> {
    try {
      return await this.tools.database.batch(statements);
    } catch (error) {
      if (error instanceof StockyardError && error.code === CHECKPOINT_MOVED)
        throw this.unsure ? checkpointUnsure() : new JobSuperseded();
      throw error;
    }
  }

  private moved({ processed, failed, total }: JobProgress): void {
    this.progress = { processed, failed, total };
    publishProgress(this.tools.events, this.tools.organizationId, {
      id: this.job.id,
      state: 'running',
      ...this.progress,
    });
  }
}

/** It is looked at again: whether it was cancelled, taken over, or only set back by a fraction of a second. */
function checkpointUnsure(): StockyardError {
  return new StockyardError({
    code: 'job_checkpoint_unsure',
    category: 'unavailable',
    message: 'The job is not where this run has left it; it goes on from where it is, if it goes on.',
  });
}
