/** Schedules of the current tenant. */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { type Statement, versionMismatch } from '#libs/database';
import { decodeCursor, isUuid, newId } from '#libs/kernel';
import { JobRegistry } from '#libs/queues';
import { canonicalCron, neverFires } from './cron/cron-expression';
import { nextTick, type Timing } from './cron/ticks';
import { requireTimeZone } from './cron/time-zone';
import { schedulable, storedPayload } from './schedulable';
import type { Schedule, ScheduleState } from './schedule';
import { ScheduleRepository } from './schedule.repository';
import type { NewSchedule, ScheduleChange } from './schedule.schema';

export interface ScheduleList {
  readonly limit: number;
  readonly state?: ScheduleState;
  readonly cursor?: string;
}

/** undefined: whichever version there is. */
export type ExpectedVersion = number | undefined;

@Injectable()
export class ScheduleService {
  constructor(
    private readonly schedules: ScheduleRepository,
    private readonly registry: JobRegistry,
    private readonly audit: AuditService,
  ) {}

  /** Active at once. Refuses by name of the field what could not run: cron, time zone, type, payload. */
  create({ name, job_type, payload, time_zone = 'UTC', cron }: NewSchedule): Promise<Schedule> {
    const timing = checkedTiming({ cron, time_zone });
    const stored = storedPayload(schedulable(this.registry, job_type), payload);
    const row = { id: newId(), name, job_type, ...timing, payload: stored, next_run_at: firstTick(timing) };
    return this.schedules.insert(row, this.entry('created', row));
  }

  get(id: string): Promise<Schedule> {
    return this.schedules.get(id);
  }

  /** Up to limit + 1, newest first. */
  list({ cursor, limit, state }: ScheduleList): Promise<Schedule[]> {
    const [before] = cursor === undefined ? [null] : decodeCursor(cursor, [isUuid]);
    return this.schedules.list(before ?? null, state ?? null, limit);
  }

  /** With another timing it goes on with that one's first tick from now on; one that was due and had not run is dropped. */
  async update(id: string, version: ExpectedVersion, change: ScheduleChange): Promise<Schedule> {
    const current = await this.expect(id, version);
    const { name = current.name, cron = current.cron, time_zone = current.time_zone } = change;
    const timing = checkedTiming({ cron, time_zone });
    const payload =
      change.payload === undefined
        ? current.payload
        : storedPayload(schedulable(this.registry, current.job_type), change.payload);
    const retimed = timing.cron !== current.cron || timing.time_zone !== current.time_zone;
    const next_run_at = retimed && current.state === 'active' ? firstTick(timing) : current.next_run_at;
    const next = { ...current, ...timing, name, payload, next_run_at };
    return this.schedules.update(next, { retimed, audit: this.entry('updated', next) });
  }

  /** No ticks until it is resumed. Jobs that it has made stay. */
  async pause(id: string, version: ExpectedVersion): Promise<Schedule> {
    const current = await this.expect(id, version);
    if (current.state === 'paused') return current;
    const next = { ...current, state: 'paused', next_run_at: null } as const;
    return this.schedules.update(next, { retimed: true, audit: this.entry('paused', next) });
  }

  /** Goes on with the first tick from now on; refuses what made the platform pause it, where that is still so. */
  async resume(id: string, version: ExpectedVersion): Promise<Schedule> {
    const current = await this.expect(id, version);
    if (current.state === 'active') return current;
    const timing = checkedTiming(current);
    const payload = storedPayload(schedulable(this.registry, current.job_type), current.payload.data);
    const resumed = { state: 'active', paused_reason: null, next_run_at: firstTick(timing) } as const;
    const next = { ...current, payload, ...resumed };
    return this.schedules.update(next, { retimed: true, audit: this.entry('resumed', next) });
  }

  /** Jobs that it has made stay. */
  async delete(id: string, version: ExpectedVersion): Promise<void> {
    const current = await this.expect(id, version);
    await this.schedules.delete(current, this.entry('deleted', current));
  }

  private async expect(id: string, version: ExpectedVersion): Promise<Schedule> {
    const current = await this.schedules.getNewest(id);
    if (version !== undefined && version !== current.version) throw versionMismatch(current.version);
    return current;
  }

  private entry(verb: string, { id, name, cron, time_zone, job_type }: Pick<Schedule, AuditedField>): Statement {
    const data = { name, cron, time_zone, job_type };
    return this.audit.statement({ action: `schedule.${verb}`, targetType: 'schedule', targetId: id, data });
  }
}

type AuditedField = 'id' | 'name' | 'cron' | 'time_zone' | 'job_type';

function checkedTiming({ cron, time_zone }: Timing): Timing {
  requireTimeZone(time_zone);
  return { cron: canonicalCron(cron), time_zone };
}

function firstTick(timing: Timing): Date {
  const next = nextTick(timing, new Date());
  if (!next) throw neverFires(timing.cron);
  return next;
}
