/**
 * Runs one delivery of a job: checks what the queue says against the tenant's own row, restores the tenant context,
 * runs the handler and writes the outcome into the row. Knows nothing of BullMQ. A delivery may come twice: the row
 * says whether there is anything left to do, and the checkpoint guard applies each step once.
 */
import { Injectable, Logger } from '@nestjs/common';
import { TenantDatabase } from '#libs/database';
import { newId, StockyardError } from '#libs/kernel';
import { PlatformEvents } from '#libs/messaging';
import { TenantContextHolder } from '#libs/tenancy';
import { type Job, JOB_REFERENCE, type JobReference, versionOf } from '../jobs/job';
import { JobRepository } from '../jobs/job.repository';
import { type LogLevel, logLine, type NewLogLine } from '../jobs/job-log';
import { publishProgress } from '../jobs/job-progress';
import { completeJob, failJob, releaseJob, startJob } from '../jobs/job.statements';
import { JobPace, type PacedRun } from '../pace/job-pace.service';
import type { JobDefinition } from '../registry/job-definition';
import { JobRegistry, unknownJobType } from '../registry/job-registry';
import { HandlerRegistry } from './handler-registry';
import type { JobHandler } from './job-handler';
import { failureOf, JobInterrupted, type JobOutcome, JobTimedOut, outcomeOf } from './job-outcome';
import { JobRun } from './job-run';
import { JobTenancy } from './job-tenancy';
import { RunTime } from './run-time';

export interface JobDelivery {
  /** As it came out of the queue: input like any other. */
  readonly data: unknown;
  /** 1 is the first attempt. */
  readonly attempt: number;
  /** How often this attempt has waited for a dependency. */
  readonly waits: number;
  readonly signal: AbortSignal;
  /** Called when the tenant's own row has proven the job and its handler is about to run; the result, when it has. */
  readonly onRun?: (organizationId: string, job: Job) => (failed: boolean) => void;
}

type PacedDelivery = JobDelivery & { readonly turn: PacedRun };

/** How long a handler whose time is over may take to its next step. */
const STOPS_WITHIN_MS = 5_000;

/** What the registries know of a job's type. */
interface Plan {
  readonly definition: JobDefinition;
  readonly handler: JobHandler;
}

/** What a handler that came to its end left behind. */
interface Ending {
  readonly result: Readonly<Record<string, unknown>>;
  /** Logged after its last step. */
  readonly lines: readonly NewLogLine[];
}

@Injectable()
export class JobRunner {
  private readonly logger = new Logger('Jobs');

  constructor(
    private readonly registry: JobRegistry,
    private readonly handlers: HandlerRegistry,
    private readonly jobs: JobRepository,
    private readonly tenancy: JobTenancy,
    private readonly database: TenantDatabase,
    private readonly tenant: TenantContextHolder,
    private readonly events: PlatformEvents,
    private readonly pace: JobPace,
  ) {}

  /** Never throws. */
  async run(delivery: JobDelivery): Promise<JobOutcome> {
    const checked = JOB_REFERENCE.validate(delivery.data);
    if (checked.issues) return { kind: 'failed', error: new Error(`No job reference: ${checked.issues[0]!.message}`) };
    const reference = checked.value;
    try {
      return await this.tenancy.enter(reference, () => this.runAsTenant(reference, delivery));
    } catch (error) {
      return outcomeOf(error, { ...delivery, attempts: delivery.attempt + 1 });
    }
  }

  private async runAsTenant(reference: JobReference, delivery: JobDelivery): Promise<JobOutcome> {
    let attempts = this.registry.find(reference.type)?.attempts ?? 1;
    let outcome: JobOutcome;
    let turn: PacedRun | undefined;
    try {
      const plan = await this.plan(reference);
      turn = await this.pace.run(plan.definition.class, await this.tenancy.seat(), delivery.signal);
      if (delivery.signal.aborted) throw new JobInterrupted(); // it has not begun
      const { job_id, round = 0, type } = reference;
      const started = logOf('info', `Attempt ${delivery.attempt} has started.`);
      const job = await this.jobs.transition(startJob(job_id, round, started, delivery.attempt, type));
      attempts = job?.max_attempts ?? attempts;
      outcome = job ? await this.execute(job, plan, { ...delivery, turn }) : await this.notStartable(reference);
    } catch (error) {
      outcome = outcomeOf(error, { ...delivery, attempts });
    } finally {
      turn?.end();
    }
    return this.settle(reference, outcome, delivery.attempt);
  }

  /** Everything that can be refused before the job starts. */
  private async plan(reference: JobReference): Promise<Plan> {
    const definition = this.registry.expect(reference.type);
    const handler = this.handlers.find(reference.type);
    if (!handler) throw unknownJobType(reference.type);
    if (definition.writes) await this.tenancy.requireActive(reference.organization_id);
    return { definition, handler };
  }

  private async execute(job: Job, plan: Plan, delivery: PacedDelivery): Promise<JobOutcome> {
    const { organizationId } = this.tenant.current();
    publishProgress(this.events, organizationId, job);
    const checked = this.checked(job, plan.definition);
    const ended = delivery.onRun?.(organizationId, job);
    let ending: Ending;
    try {
      ending = await this.handle(checked, plan, delivery);
      ended?.(false);
    } catch (error) {
      ended?.(!delivery.signal.aborted); // a worker that stops has not failed
      throw error;
    }
    const lines = JSON.stringify([...ending.lines, logLine('info', 'Completed.')]);
    const complete = completeJob(job.id, job.round, lines, JSON.stringify(ending.result));
    const completed = await this.jobs.transition(complete);
    if (!completed) return { kind: 'skipped' };
    publishProgress(this.events, organizationId, completed);
    return { kind: 'completed' };
  }

  /** A handler that is over its time is asked to stop; one that does not is left behind, and its row lets it do no more. */
  private async handle(job: Job, { definition, handler }: Plan, delivery: PacedDelivery): Promise<Ending> {
    const { signal: stops, turn } = delivery;
    const { timeoutMs, idempotency } = definition;
    const overdue = new AbortController();
    const late = new JobTimedOut(timeoutMs);
    const time = new RunTime(timeoutMs, () => overdue.abort(late));
    const run = new JobRun(job, {
      database: this.database,
      events: this.events,
      organizationId: this.tenant.current().organizationId,
      signal: AbortSignal.any([stops, overdue.signal]),
      keepsCheckpoint: idempotency === 'checkpointed',
      turn: { again: () => time.without(() => turn.again()) },
    });
    let giveUp: NodeJS.Timeout | undefined;
    const abandoned = new Promise<never>((_, reject) => {
      overdue.signal.addEventListener('abort', () => (giveUp = setTimeout(reject, STOPS_WITHIN_MS, late)));
    });
    try {
      const result = await Promise.race([handler.run(run), abandoned]);
      return { result, lines: run.unwritten() };
    } catch (error) {
      throw overdue.signal.aborted && !stops.aborted ? late : error;
    } finally {
      time.end();
      clearTimeout(giveUp);
    }
  }

  /** A row that is final is a delivery too many; a row that this tenant does not have is a forged or broken one. */
  private async notStartable(reference: JobReference): Promise<JobOutcome> {
    const job = await this.jobs.find(reference.job_id);
    if (job?.type !== reference.type) throw mismatch();
    return { kind: 'skipped' };
  }

  private checked(job: Job, definition: JobDefinition): Job {
    const { data } = (job.payload as Partial<Job['payload']> | null) ?? {};
    const { issues } = definition.payload.validate(data);
    if (!issues && versionOf(job.payload) === definition.version) return job;
    throw new StockyardError({
      code: 'invalid_job_payload',
      category: 'unprocessable',
      message: issues ? `The payload is not valid: ${issues[0]!.message}` : 'The payload has an unknown version.',
    });
  }

  /** Writes an outcome into the row. A database that is out makes any outcome wait: the row must not lie. */
  private async settle(reference: JobReference, outcome: JobOutcome, attempt: number): Promise<JobOutcome> {
    try {
      const job = await this.record(reference, outcome, attempt);
      if (job) publishProgress(this.events, reference.organization_id, job);
      return outcome;
    } catch (error) {
      this.logger.warn({ job_id: reference.job_id, err: error }, 'The outcome of a job could not be written');
      return { kind: 'later', delayMs: 1_000 };
    }
  }

  private record(reference: JobReference, outcome: JobOutcome, attempt: number): Promise<Job | undefined> {
    const { job_id: id, round = 0, type } = reference;
    switch (outcome.kind) {
      case 'handed_back': {
        const moves = logOf('info', 'The worker stops; the job goes on elsewhere.');
        return this.jobs.transition(releaseJob(id, round, moves));
      }
      case 'retry': {
        this.log('warn', reference, outcome.error);
        const again = logOf(
          'warn',
          `Attempt ${attempt} failed, another one follows: ${failureOf(outcome.error).message}`,
        );
        return this.jobs.transition(releaseJob(id, round, again));
      }
      case 'failed': {
        this.log('error', reference, outcome.error);
        const failure = failureOf(outcome.error);
        const failed = logOf('error', `Attempt ${attempt} failed, the job with it: ${failure.message}`);
        return this.jobs.transition(failJob(id, round, failed, JSON.stringify(failure), type, newId()));
      }
      default:
        return Promise.resolve(undefined);
    }
  }

  private log(level: 'warn' | 'error', reference: JobReference, error: Error): void {
    const { job_id, organization_id, type } = reference;
    const refused = error instanceof StockyardError && error.category !== 'internal';
    this.logger[level]({ job_id, organization_id, type, err: refused ? undefined : error }, `Job: ${error.message}`);
  }
}

/** One line, as the statements take it. */
function logOf(level: LogLevel, message: string): string {
  return JSON.stringify([logLine(level, message)]);
}

function mismatch(): StockyardError {
  return new StockyardError({
    code: 'job_mismatch',
    category: 'unprocessable',
    message: 'The queue names a job that this organization does not have in this form.',
  });
}
