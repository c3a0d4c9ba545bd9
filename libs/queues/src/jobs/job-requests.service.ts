/** Jobs that clients ask for by type: which types, with which payload, and once for each Idempotency-Key. Needs IdempotencyModule. */
import { Injectable } from '@nestjs/common';
import { tenantStatement } from '#libs/database';
import { IdempotentFlight, IdempotentReply, recordStatement } from '#libs/idempotency';
import { StockyardError } from '#libs/kernel';
import type { JobDefinition } from '../registry/job-definition';
import { JobRegistry } from '../registry/job-registry';
import { type JobRequest, startOf } from './job-request.shape';
import { jobView, type JobView } from './job.schema';
import { JOB_KEY_TAKEN, requireJobMade } from './job.statements';
import { JobService, type NewJob, type PreparedJob } from './job.service';

const ACCEPTED = 202;
const FOUND = 200;
const JOB_ENDED = 'job_ended';

const requireOpen = tenantStatement(
  'job_require_open',
  `select refuse('${JOB_ENDED}', 'conflict', 'The job has ended.')
   where not exists (select from jobs where organization_id = $1 and id = $2 and state in ('queued', 'running'))`,
);
const record = recordStatement('job_requested', 'select $5::json as body');

@Injectable()
export class JobRequests {
  constructor(
    private readonly registry: JobRegistry,
    private readonly jobs: JobService,
    private readonly flight: IdempotentFlight,
  ) {}

  /**
   * 202 with the new job, or 200 with the open one that has the dedupe_key. With an Idempotency-Key, a repetition gets the first
   * answer again. Throws `unknown_job_type` and `job_type_not_creatable` (422), `queue_full` (429), and for a payload of
   * another shape the first field at fault, such as `payload.resource` (400).
   */
  async create(request: JobRequest, key: string | undefined): Promise<IdempotentReply<JobView>> {
    const newJob = this.checked(request);
    if (key === undefined) return this.createOnce(newJob);
    for (;;) {
      const prepared = this.jobs.prepare(newJob);
      const reply = (await this.make(prepared, request, key)) ?? (await this.find(prepared, request, key));
      if (reply) return reply;
    }
  }

  private checked(request: JobRequest): NewJob<unknown> {
    const definition = this.creatable(request.type);
    const checked = definition.payload.validate(request.payload);
    if (checked.issues) {
      const errors = checked.issues.map(({ param, code, message }) => ({
        param: param.startsWith('[') ? `payload${param}` : ['payload', param].filter(Boolean).join('.'),
        code,
        message,
      }));
      throw invalid(errors[0]!.code, errors[0]!.param, errors[0]!.message, { errors });
    }
    const runAt = startOf(request, Date.now());
    if (runAt === 'invalid') {
      const message = 'Give run_at or delay_seconds, not both, and no time more than a year ahead.';
      throw invalid('invalid_value', 'run_at', message);
    }
    const { priority, attempts, dedupe_key: dedupeKey } = request;
    return {
      ...{ definition, payload: checked.value },
      ...(priority !== undefined && { priority }),
      ...(attempts !== undefined && { attempts }),
      ...(dedupeKey !== undefined && { dedupeKey }),
      ...(runAt && { runAt }),
    };
  }

  private creatable(type: string): JobDefinition {
    const definition = this.registry.find(type);
    if (definition?.creatable) return definition;
    const types = this.registry.all().flatMap((each) => (each.creatable ? [each.type] : []));
    throw new StockyardError({
      code: definition ? 'job_type_not_creatable' : 'unknown_job_type',
      category: 'unprocessable',
      param: 'type',
      message: `There is no job of this type to be created; the types are ${types.join(', ')}.`,
      details: { types },
    });
  }

  private async createOnce(newJob: NewJob<unknown>): Promise<IdempotentReply<JobView>> {
    const { job, isNew } = await this.jobs.createOrFind(newJob);
    return new IdempotentReply(isNew ? ACCEPTED : FOUND, jobView(job), false);
  }

  /** undefined where an open job has the dedupe_key. */
  private async make({ job, statements }: PreparedJob, body: JobRequest, key: string) {
    const work = { statements: [...statements, requireJobMade(job.id)], status: ACCEPTED };
    const reply = await this.answered(work, job, body, key, JOB_KEY_TAKEN);
    if (reply && !reply.replayed) this.jobs.announce();
    return reply;
  }

  /** The open job that has the dedupe_key; undefined where it has ended in between. */
  private async find(prepared: PreparedJob, body: JobRequest, key: string) {
    const job = await this.jobs.openByKey(prepared.job);
    return job && this.answered({ statements: [requireOpen(job.id)], status: FOUND }, job, body, key, JOB_ENDED);
  }

  private async answered(
    work: { readonly statements: PreparedJob['statements']; readonly status: number },
    job: PreparedJob['job'],
    body: JobRequest,
    key: string,
    unless: string,
  ): Promise<IdempotentReply<JobView> | undefined> {
    try {
      const answer = record(JSON.stringify(jobView(job)));
      return await this.flight.run<JobView>({ key, operation: 'job.create', body }, { ...work, record: answer });
    } catch (error) {
      if (error instanceof StockyardError && error.code === unless) return undefined;
      throw error;
    }
  }
}

function invalid(code: string, param: string, message: string, details?: Readonly<Record<string, unknown>>) {
  return new StockyardError({ code, category: 'invalid', param, message, details });
}
