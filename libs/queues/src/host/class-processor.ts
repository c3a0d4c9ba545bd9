/** The BullMQ side of the job runner: one processor a class, and what each outcome means to the queue. */
import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Injectable, Logger, Optional, type Type } from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import { NO_TRACING, Tracing } from '#libs/tracing';
import { UsageMeter } from '#libs/usage';
import { DelayedError, type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { workerConnection } from '../connection/queue-connection';
import { classConcurrency, JOB_CLASSES, type JobClass } from '../job-class';
import { WorkerRoll } from '../running/worker-roll';
import type { DrainingWorker } from './draining-worker';
import { JobMetrics } from './job-metrics';
import type { JobOutcome } from './job-outcome';
import { beginJob, endJob } from './job-trace';
import { JobRunner } from './job-runner';
import { JobTurns } from './job-turns';

/** A lost worker is no fault of the job: only the attempts it really made count. */
const NO_STALL_LIMIT = 1_000_000;

@Injectable()
export class ClassProcessor extends WorkerHost<DrainingWorker> {
  private readonly logger = new Logger('JobQueue');

  constructor(
    private readonly turns: JobTurns,
    private readonly roll: WorkerRoll,
    private readonly runner: JobRunner,
    private readonly meter: UsageMeter,
    private readonly metrics: JobMetrics,
    @Optional() private readonly tracing: Tracing = NO_TRACING,
  ) {
    super();
  }

  /** undefined until its queue has been registered. */
  get opened(): DrainingWorker | undefined {
    return (this as unknown as { readonly _worker?: DrainingWorker })._worker;
  }

  /** Three declared parameters, or BullMQ gives no signal. */
  override async process(job: Job, token?: string, signal?: AbortSignal): Promise<string> {
    const turn = await this.turns.take(job, token);
    const began = performance.now();
    try {
      return await this.run(job, token, signal);
    } finally {
      this.roll.served(job.queueName as JobClass, performance.now() - began);
      await turn.end();
    }
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug({ err: error }, 'Queue worker');
  }

  @OnWorkerEvent('stalled')
  onStalled(jobId: string): void {
    this.logger.warn({ bull_job_id: jobId }, 'A worker was lost; its job goes on from its checkpoint');
  }

  private async run(job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<string> {
    const began = performance.now();
    const work = beginJob(this.tracing, job);
    let outcome: JobOutcome | undefined;
    try {
      outcome = await work.run(() => this.deliver(job, signal));
    } finally {
      endJob(work, outcome);
    }
    this.metrics.ended(job.name, outcome.kind, performance.now() - began);
    return this.conclude(outcome, job, token);
  }

  private deliver(job: Job, signal: AbortSignal | undefined): Promise<JobOutcome> {
    return this.runner.run({
      data: job.data as unknown,
      attempt: job.attemptsMade + 1,
      waits: Math.max(0, job.attemptsStarted - job.attemptsMade - 1),
      signal: signal ?? new AbortController().signal,
      onRun: (organizationId, row) => {
        this.metrics.began(row);
        return this.meter.job(organizationId, row.type);
      },
    });
  }

  private async conclude(outcome: JobOutcome, job: Job, token: string | undefined): Promise<string> {
    switch (outcome.kind) {
      case 'completed':
      case 'skipped':
        return outcome.kind;
      case 'handed_back':
        await this.turns.givesBack(job, { keepsPlace: true });
        await job.moveToWait(token);
        throw new WaitingError();
      case 'later':
        await this.turns.givesBack(job, { keepsPlace: false });
        await job.moveToDelayed(Date.now() + outcome.delayMs, token);
        throw new DelayedError();
      case 'retry':
        await this.turns.givesBack(job, { keepsPlace: false });
        throw outcome.error;
      case 'failed':
        throw new UnrecoverableError(outcome.error.message);
    }
  }
}

/** One registered processor for each class, with the concurrency and lock times of the configuration. */
export function classProcessors(config: AppConfig): Type<ClassProcessor>[] {
  const concurrency = classConcurrency(config);
  return JOB_CLASSES.filter((jobClass) => concurrency[jobClass] > 0).map((jobClass) => {
    const processor = { [jobClass]: class extends ClassProcessor {} }[jobClass]!;
    Processor(jobClass, {
      concurrency: concurrency[jobClass],
      connection: workerConnection(config, jobClass),
      lockDuration: config.QUEUE_LOCK_MS,
      stalledInterval: Math.max(500, Math.floor(config.QUEUE_LOCK_MS / 3)),
      maxStalledCount: NO_STALL_LIMIT,
      runRetryDelay: 1_000,
    })(processor);
    return processor;
  });
}
