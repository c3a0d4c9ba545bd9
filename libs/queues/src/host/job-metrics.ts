/**
 * How long jobs wait and run in this worker, for Prometheus. The wait is that of a job's first start, by the clock of its database:
 * from its commit, or the time it was put off to, so that it holds outbox, relay and queue. Types that no registry knows came
 * out of the queue and count as `unknown`.
 */
import { Injectable, Optional } from '@nestjs/common';
import { MetricsRegistry, type Observe } from '#libs/observability';
import type { Job } from '../jobs/job';
import { JobRegistry } from '../registry/job-registry';
import type { JobOutcome } from './job-outcome';

const WAIT_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];
const RUN_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];
const MS_PER_SECOND = 1_000;
const UNKNOWN = { class: 'unknown', type: 'unknown' };

@Injectable()
export class JobMetrics {
  private readonly waited: Observe | undefined;
  private readonly ran: Observe | undefined;

  constructor(
    private readonly registry: JobRegistry,
    @Optional() metrics?: MetricsRegistry,
  ) {
    this.waited = metrics?.histogram({
      name: 'stockyard_job_wait_seconds',
      help: 'From the commit of a job, or the time it was put off to, until it first started.',
      labels: ['job_class', 'type'],
      buckets: WAIT_SECONDS,
    });
    this.ran = metrics?.histogram({
      name: 'stockyard_job_run_seconds',
      help: 'Runs of jobs by what came of them, from the turn of a delivery until its outcome stood in the row.',
      labels: ['job_class', 'type', 'outcome'],
      buckets: RUN_SECONDS,
    });
  }

  /** A delivery has proven its job and is about to run it. Only the first start tells a wait: it wrote the first line of the log. */
  began({ type, round, log_lines, run_at, created_at, started_at }: Job): void {
    if (round > 0 || log_lines > 1 || !started_at) return;
    const due = Math.max(created_at.getTime(), run_at?.getTime() ?? 0);
    this.waited?.(this.labels(type), Math.max(0, started_at.getTime() - due) / MS_PER_SECOND);
  }

  ended(type: string, outcome: JobOutcome['kind'], ms: number): void {
    this.ran?.({ ...this.labels(type), outcome }, ms / MS_PER_SECOND);
  }

  private labels(name: string) {
    const { class: job_class, type } = this.registry.find(name) ?? UNKNOWN;
    return { job_class, type };
  }
}
