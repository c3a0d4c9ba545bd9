/**
 * What happens at a tick, in its tenant's own transaction: the schedule moves on from the tick that was seen, and the job and
 * its outbox row are made, or neither. Any number of workers may try: one finds the schedule as it has read it. The job's id
 * follows from schedule and tick, so that even a schedule that was put back makes no second one.
 */
import { Injectable, Logger } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { isUniqueViolation } from '#libs/database';
import { newId, StockyardError } from '#libs/kernel';
import { JOB_KEY_TAKEN, JobRegistry, JobService, requireJobMade } from '#libs/queues';
import { TenantContextHolder } from '#libs/tenancy';
import { nextTick } from '../cron/ticks';
import { takesPayload } from '../schedulable';
import type { PauseReason, Schedule, SkipReason } from '../schedule';
import { ScheduleRepository, type SeenTick } from '../schedule.repository';
import type { DueSchedule } from './due-schedules.repository';
import { tickJobId } from './tick-job-id';

/**
 * - `ran`: the job is there
 * - `skipped`: the tick was passed over, and that is recorded
 * - `paused`: the schedule cannot run
 * - `gone`: somebody else took the tick, or the schedule has changed
 * - `left`: it may be for a worker of another release; look again later
 */
export type TickOutcome = 'ran' | 'skipped' | 'paused' | 'gone' | 'left';

/** For so long a worker that cannot make a job thinks that a newer one can: a release is being rolled out. */
const OTHERS_MAY_KNOW_MS = 30_000;

@Injectable()
export class TickRun {
  private readonly logger = new Logger('Schedules');

  constructor(
    private readonly schedules: ScheduleRepository,
    private readonly registry: JobRegistry,
    private readonly jobs: JobService,
    private readonly audit: AuditService,
    private readonly tenant: TenantContextHolder,
  ) {}

  /** Throws where the tenant cannot be reached at the moment. Call `announce()` of JobService after those that ran. */
  run(due: DueSchedule): Promise<TickOutcome> {
    const context = {
      organizationId: due.organizationId,
      actor: { type: 'system', id: due.id },
      permissions: new Set<string>(),
      requestId: newId(),
    } as const;
    return this.tenant.run(context, () => this.runAsTenant(due));
  }

  private async runAsTenant({ id, dueAt, now }: DueSchedule): Promise<TickOutcome> {
    const schedule = await this.schedules.findNewest(id);
    if (schedule?.next_run_at?.getTime() !== dueAt.getTime()) return 'gone';
    const tick = { schedule, at: dueAt };
    const problem = this.problemOf(tick.schedule);
    if (problem) {
      const foreseeable = now.getTime() - dueAt.getTime() < OTHERS_MAY_KNOW_MS;
      return foreseeable ? 'left' : this.pause(tick, problem);
    }
    const next = following(tick.schedule, now);
    return next ? this.make(tick, next, now) : this.pause(tick, 'never_fires');
  }

  private problemOf({ job_type, payload }: Schedule): PauseReason | undefined {
    const definition = this.registry.find(job_type);
    if (!definition?.schedulable) return 'job_type_not_schedulable';
    return takesPayload(definition, payload) ? undefined : 'invalid_payload';
  }

  /** Ticks between the one that was seen and now are not made up for: one job stands for all of them. */
  private async make(tick: SeenTick, next: Date, now: Date): Promise<TickOutcome> {
    const { id, job_type, payload } = tick.schedule;
    const jobId = tickJobId(id, tick.at, now);
    const definition = this.registry.expect(job_type);
    const prepared = this.jobs.prepare({ definition, payload: payload.data, id: jobId });
    const made = prepared.job.dedupe_key === null ? [] : [requireJobMade(jobId)];
    const statements = [...prepared.statements, ...made];
    try {
      return (await this.schedules.take(tick, next, { id: jobId, statements })) ? 'ran' : 'gone';
    } catch (error) {
      const reason = skipReasonOf(error);
      if (!reason) throw error;
      await this.schedules.skip(tick, next, reason);
      return 'skipped';
    }
  }

  private async pause(tick: SeenTick, reason: PauseReason): Promise<TickOutcome> {
    const { id, name } = tick.schedule;
    const entry = { action: 'schedule.paused', targetType: 'schedule', targetId: id, data: { name, reason } };
    const paused = await this.schedules.pauseAt(tick, reason, this.audit.statement(entry));
    if (paused) this.logger.warn({ schedule_id: id, reason }, 'A schedule cannot run and is paused');
    return paused ? 'paused' : 'gone';
  }
}

const SKIPPED: Readonly<Record<string, SkipReason>> = { queue_full: 'queue_full', [JOB_KEY_TAKEN]: 'still_running' };

function skipReasonOf(error: unknown): SkipReason | undefined {
  if (error instanceof StockyardError) return SKIPPED[error.code];
  return isUniqueViolation(error, 'jobs_pkey') ? 'already_run' : undefined;
}

/** undefined also where the runtime no longer knows the time zone. */
function following(schedule: Schedule, now: Date): Date | undefined {
  try {
    return nextTick(schedule, now);
  } catch {
    return undefined;
  }
}
