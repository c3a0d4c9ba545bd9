/** Jobs that tenants can watch: making them, looking at them, cancelling them. */
import { Injectable } from '@nestjs/common';
import { isUniqueViolation, type Statement, TenantDatabase } from '#libs/database';
import { decodeCursor, isUuid, newId, StockyardError } from '#libs/kernel';
import { PlatformEvents } from '#libs/messaging';
import { TenantContextHolder } from '#libs/tenancy';
import type { JobDefinition, JobFile } from '../registry/job-definition';
import { JobRegistry } from '../registry/job-registry';
import { DEFAULT_PRIORITY, type Job, type JobLineError } from './job';
import { type LogLine, logLine } from './job-log';
import { publishProgress } from './job-progress';
import { type JobFilters, JobRepository } from './job.repository';
import { cancelJob, insertJob, requireJobRoom, retryJob, selectOpenByKey } from './job.statements';

export interface NewJob<Payload> {
  readonly definition: JobDefinition<Payload>;
  readonly payload: Payload;
  /** Chosen by the caller where something else is named after the job; a new UUIDv7 otherwise. */
  readonly id?: string;
  readonly total?: number | null;
  /** Among the tenant's own waiting jobs of the class: 1 is the most urgent, 10 the least. Default 5. */
  readonly priority?: number;
  /** Not before. */
  readonly runAt?: Date;
  /** Instead of the type's own. 1 to 100. */
  readonly attempts?: number;
  /** While a job of the type with this key is queued or running, there is no second one. 1 to 200 characters. A type's own is before it. */
  readonly dedupeKey?: string;
}

/** A job that exists once its statements have committed. */
export interface PreparedJob {
  readonly job: Job;
  readonly statements: readonly Statement[];
}

export interface JobList extends JobFilters {
  readonly limit: number;
  readonly cursor?: string;
}

export interface JobLog {
  readonly limit: number;
  readonly cursor?: string;
}

/** Number of a line in a cursor. */
const isLine = (text: string): boolean => /^\d{1,15}$/.test(text);

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
   * after the commit. Throws `unknown_job_type` for a type without registration, and for a payload of another shape. The batch
   * is refused with `queue_full` (429) beyond `max_waiting_jobs`; with a key that an open job has, it makes none.
   */
  prepare<Payload>({ definition, payload, id = newId(), ...options }: NewJob<Payload>): PreparedJob {
    const registered = this.registry.expect(definition.type);
    const { type, class: jobClass, version, payload: shape } = registered;
    const { issues } = shape.validate(payload);
    if (issues) {
      const message = `The payload of ${type} is not valid: ${issues[0]!.message}`;
      throw new StockyardError({ code: 'invalid_job_payload', category: 'internal', message });
    }
    const { organizationId, actor } = this.tenant.current();
    const { total = null, priority = DEFAULT_PRIORITY, runAt, attempts } = options;
    const dedupeKey = registered.dedupeKey?.(payload) ?? options.dedupeKey ?? null;
    const stored = { version, data: payload };
    const createdAt = new Date();
    const message = {
      ...{ job_id: id, organization_id: organizationId, type, version },
      ...(attempts !== undefined && { attempts }),
      ...(runAt && { run_at: runAt.toISOString() }),
    };
    const job = newlyQueued({
      ...{ id, type, class: jobClass, payload: stored, total, created_at: createdAt },
      ...{ priority, dedupe_key: dedupeKey, run_at: runAt ?? null, max_attempts: attempts ?? null },
    });
    const insert = insertJob(
      ...[id, type, jobClass, JSON.stringify(stored), total, actor.type, actor.id, createdAt.toISOString()],
      ...[priority, dedupeKey, message.run_at ?? null, job.max_attempts, JSON.stringify(message)],
    );
    return { job, statements: [requireJobRoom(1), insert] };
  }

  /** Tells the relays that there is something to do. A hint: without it they look within a second. */
  announce(): void {
    this.events.publish('outbox.ready', {});
  }

  /** Resolves with the new job, or with the open one that has the same key. */
  async create<Payload>(newJob: NewJob<Payload>): Promise<Job> {
    return (await this.createOrFind(newJob)).job;
  }

  /** The same, and says which of both it is. */
  async createOrFind<Payload>(newJob: NewJob<Payload>): Promise<{ readonly job: Job; readonly isNew: boolean }> {
    for (;;) {
      const { job, statements } = this.prepare(newJob);
      const results = await this.database.batch(statements);
      if (results[results.length - 1]!.rowCount !== 0) {
        this.announce();
        return { job, isNew: true };
      }
      const open = await this.openByKey(job);
      if (open) return { job: open, isNew: false }; // else it has ended in between: there is room for another
    }
  }

  /** The open job of a type that has a key: why there is no second one. */
  openByKey({ type, dedupe_key }: Pick<Job, 'type' | 'dedupe_key'>): Promise<Job | undefined> {
    return this.jobs.transition(selectOpenByKey(type, dedupe_key));
  }

  get(id: string): Promise<Job> {
    return this.jobs.get(id);
  }

  /** The file that a completed job has written. Throws `job_has_no_file` (409) for any other job. */
  async file(id: string): Promise<JobFile> {
    const { type, state, payload } = await this.jobs.get(id);
    const file = state === 'completed' ? this.registry.find(type)?.file?.(id, payload.data) : undefined;
    if (file) return file;
    throw new StockyardError({
      code: 'job_has_no_file',
      category: 'conflict',
      message: 'Only a completed export or report has a file.',
      details: { type, state },
    });
  }

  /** Up to limit + 1 jobs, newest first. */
  list({ cursor, ...query }: JobList): Promise<Job[]> {
    const [before] = cursor === undefined ? [null] : decodeCursor(cursor, [isUuid]);
    return this.jobs.list({ ...query, before: before ?? null });
  }

  /** A queued job never starts; a running one stops before its next chunk. What it has committed stays. */
  async cancel(id: string): Promise<Job> {
    const cancelled = await this.jobs.transition(cancelJob(id, JSON.stringify([logLine('warn', 'Cancelled.')])));
    if (cancelled) return this.told(cancelled);
    throw await this.refusal(id, 'job_finished', 'only a queued or running job can be cancelled');
  }

  /**
   * Queues a job again that failed or was cancelled and has no dead letter: from its checkpoint, with all of its attempts, at
   * once. Of several calls at the same time one does. Throws `job_not_retryable` (409) in any other state, `job_key_in_use`
   * (409) while another open job has its key, and `queue_full` (429). One that may have a letter: DeadLetterService.retry.
   */
  async retryWithoutLetter(id: string): Promise<Job> {
    const again = retryJob(id, JSON.stringify([logLine('info', 'Queued again.')]), newId());
    const results = await this.database.batch([requireJobRoom(1), again]).catch((error: unknown) => {
      throw orKeyInUse(error);
    });
    const [job] = results[1]!.rows as Job[];
    if (!job) throw await this.refusal(id, 'job_not_retryable', 'only a failed or cancelled job can be queued again');
    return this.queuedAgain(job);
  }

  /** Tells relays and watchers, after the commit, of a job that entered its next round. */
  queuedAgain(job: Job): Job {
    this.announce();
    return this.told(job);
  }

  /** Up to limit + 1 lines, oldest first. Throws `not_found`. */
  async log(id: string, { limit, cursor }: JobLog): Promise<LogLine[]> {
    const [after = '0'] = cursor === undefined ? [] : decodeCursor(cursor, [isLine]);
    const lines = await this.jobs.logLines(id, Number(after), limit + 1);
    if (lines.length === 0) await this.jobs.get(id);
    return lines;
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

  private told(job: Job): Job {
    publishProgress(this.events, this.tenant.current().organizationId, job);
    return job;
  }

  private async refusal(id: string, code: string, rule: string): Promise<StockyardError> {
    const { state } = await this.jobs.get(id);
    return new StockyardError({
      code,
      category: 'conflict',
      message: `The job is ${state}; ${rule}.`,
      details: { state },
    });
  }
}

/** What a violated `jobs_dedupe_key` means to who queues a job again. */
export function orKeyInUse(error: unknown): unknown {
  if (!isUniqueViolation(error, 'jobs_dedupe_key')) return error;
  return new StockyardError({
    code: 'job_key_in_use',
    category: 'conflict',
    param: 'dedupe_key',
    message: 'Another job of the type has the same dedupe_key and has not ended; it does the work.',
  });
}

type Given = 'id' | 'type' | 'class' | 'payload' | 'total' | 'created_at' | 'priority' | 'dedupe_key' | 'run_at';

function newlyQueued(given: Pick<Job, Given | 'max_attempts'>): Job {
  return {
    ...given,
    state: 'queued',
    processed: 0,
    failed: 0,
    checkpoint: null,
    result: null,
    error: null,
    attempts: 0,
    round: 0,
    log_lines: 0,
    started_at: null,
    finished_at: null,
  };
}
