/** Jobs that tenants can watch: making them, looking at them, cancelling them. */
import { Injectable } from '@nestjs/common';
import { notFound, type Statement, TenantDatabase } from '#libs/database';
import { decodeCursor, isUuid, newId, StockyardError } from '#libs/kernel';
import { PlatformEvents } from '#libs/messaging';
import { TenantContextHolder } from '#libs/tenancy';
import { outboxStatement } from '../outbox/outbox.statement';
import type { JobDefinition } from '../registry/job-definition';
import { JobRegistry } from '../registry/job-registry';
import type { Job, JobLineError, JobState } from './job';
import { JobRepository } from './job.repository';
import { cancelJob, insertJob } from './job.statements';

export interface NewJob<Payload> {
  readonly definition: JobDefinition<Payload>;
  readonly payload: Payload;
  /** Chosen by the caller where something else is named after the job; a new UUIDv7 otherwise. */
  readonly id?: string;
  readonly total?: number | null;
}

/** A job that exists once its statements have committed. */
export interface PreparedJob {
  readonly job: Job;
  readonly statements: readonly Statement[];
}

export interface JobList {
  readonly limit: number;
  readonly state?: JobState;
  readonly type?: string;
  readonly cursor?: string;
}

const REPORT_PAGE = 1_000;

@Injectable()
export class JobService {
  constructor(
    private readonly registry: JobRegistry,
    private readonly jobs: JobRepository,
    private readonly database: TenantDatabase,
    private readonly tenant: TenantContextHolder,
    private readonly events: PlatformEvents,
  ) {}

  /**
   * Job row and outbox row, for a batch of the caller's: the job exists when the caller's write does. Call announce()
   * after the commit. Throws `unknown_job_type` for a type without registration, and for a payload of another shape.
   */
  prepare<Payload>({ definition, payload, id = newId(), total = null }: NewJob<Payload>): PreparedJob {
    const { type, class: jobClass, version, payload: shape } = this.registry.expect(definition.type);
    const { issues } = shape.validate(payload);
    if (issues) {
      const message = `The payload of ${type} is not valid: ${issues[0]!.message}`;
      throw new StockyardError({ code: 'invalid_job_payload', category: 'internal', message });
    }
    const { organizationId, actor } = this.tenant.current();
    const createdAt = new Date();
    const stored = { version, data: payload };
    return {
      job: newlyQueued({ id, type, class: jobClass, payload: stored, total, created_at: createdAt }),
      statements: [
        insertJob(id, type, jobClass, JSON.stringify(stored), total, actor.type, actor.id, createdAt.toISOString()),
        // The outbox row has the job's id: one row a job, and whoever knows the job knows what it is called in the queue.
        outboxStatement([
          {
            id,
            topic: 'job.queued',
            aggregateType: 'job',
            aggregateId: id,
            payload: { job_id: id, organization_id: organizationId, type, version },
          },
        ]),
      ],
    };
  }

  /** Tells the relays that there is something to do. A hint: without it they look within a second. */
  announce(): void {
    this.events.publish('outbox.ready', {});
  }

  async create<Payload>(newJob: NewJob<Payload>): Promise<Job> {
    const { job, statements } = this.prepare(newJob);
    await this.database.batch(statements);
    this.announce();
    return job;
  }

  get(id: string): Promise<Job> {
    return this.jobs.get(id);
  }

  /** Up to limit + 1 jobs, newest first. */
  list({ cursor, ...query }: JobList): Promise<Job[]> {
    const [before] = cursor === undefined ? [null] : decodeCursor(cursor, [isUuid]);
    return this.jobs.list({ ...query, before: before ?? null });
  }

  /** A queued job never starts; a running one stops before its next chunk. What it has committed stays. */
  async cancel(id: string): Promise<Job> {
    const cancelled = await this.jobs.transition(cancelJob(id));
    if (cancelled) return cancelled;
    const job = await this.jobs.find(id);
    if (!job) throw notFound();
    throw new StockyardError({
      code: 'job_finished',
      category: 'conflict',
      message: `The job is ${job.state}; only a queued or running job can be cancelled.`,
      details: { state: job.state },
    });
  }

  /** The lines that were left out, in order of the file; read page by page as they are taken. */
  async *lineErrors(id: string): AsyncGenerator<JobLineError> {
    for (let after = 0; ;) {
      const page = await this.jobs.lineErrors(id, after, REPORT_PAGE);
      yield* page;
      if (page.length < REPORT_PAGE) return;
      after = page[page.length - 1]!.line;
    }
  }
}

function newlyQueued(given: Pick<Job, 'id' | 'type' | 'class' | 'payload' | 'total' | 'created_at'>): Job {
  return {
    ...given,
    state: 'queued',
    processed: 0,
    failed: 0,
    checkpoint: null,
    result: null,
    error: null,
    attempts: 0,
    started_at: null,
    finished_at: null,
  };
}
