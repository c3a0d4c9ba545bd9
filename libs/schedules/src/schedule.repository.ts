/** Reads and writes of schedules. A change and its entry in the audit log are one transaction. */
import { Injectable } from '@nestjs/common';
import { isUniqueViolation, notFound, type Statement, TenantDatabase } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import type { PauseReason, Schedule, ScheduleState, SkipReason } from './schedule';
import * as sql from './schedule.statements';

export type ScheduleRow = Pick<Schedule, 'id' | 'name' | 'cron' | 'time_zone' | 'job_type' | 'payload' | 'next_run_at'>;

/** A tick in the hands of a worker. */
export interface SeenTick {
  readonly schedule: Schedule;
  readonly at: Date;
}

@Injectable()
export class ScheduleRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** Throws `limit_exceeded` (403) beyond `max_schedules`, `schedule_name_taken` (409). */
  async insert(row: ScheduleRow, audit: Statement): Promise<Schedule> {
    const { id, name, cron, time_zone, job_type, payload, next_run_at } = row;
    const insert = sql.insertSchedule(
      ...[id, name, cron, time_zone, job_type, JSON.stringify(payload), next_run_at?.toISOString()],
    );
    const results = await this.named([sql.lockSchedules(), sql.requireScheduleRoom(), insert, audit]);
    return results[2]!.rows[0] as Schedule;
  }

  async get(id: string): Promise<Schedule> {
    const [schedule] = await this.database.statement<Schedule>(sql.selectSchedule(id));
    return required(schedule);
  }

  /** From the primary. */
  async findNewest(id: string): Promise<Schedule | undefined> {
    return (await this.database.statement<Schedule>(sql.selectNewestSchedule(id)))[0];
  }

  /** The same; throws `not_found`. */
  async getNewest(id: string): Promise<Schedule> {
    return required(await this.findNewest(id));
  }

  /** Up to limit + 1, newest first. */
  list(before: string | null, state: ScheduleState | null, limit: number): Promise<Schedule[]> {
    return this.database.statement<Schedule>(sql.listSchedules(before, state, limit + 1));
  }

  /** `next` as the caller made it of what it has read. Throws `version_mismatch` (412) when that is out of date. */
  async update(next: Schedule, options: { readonly retimed: boolean; readonly audit: Statement }): Promise<Schedule> {
    const { id, version, name, cron, time_zone, payload, state, next_run_at, paused_reason } = next;
    const update = sql.updateSchedule(
      ...[id, version, name, cron, time_zone, JSON.stringify(payload), state],
      ...[options.retimed, next_run_at?.toISOString() ?? null, paused_reason],
    );
    const results = await this.named([update, sql.selectNewestSchedule(id), options.audit]);
    return results[1]!.rows[0] as Schedule;
  }

  async delete({ id, version }: Schedule, audit: Statement): Promise<void> {
    await this.database.batch([sql.deleteSchedule(id, version), audit]);
  }

  /** Moves the schedule on and makes the job, or neither: false where the tick was taken already or the schedule changed. */
  take(tick: SeenTick, next: Date, job: { readonly id: string; readonly statements: readonly Statement[] }) {
    const take = sql.takeTick(...seen(tick), next.toISOString(), job.id);
    return this.unlessTaken([take, ...job.statements]);
  }

  async skip(tick: SeenTick, next: Date, reason: SkipReason): Promise<void> {
    await this.database.statement(sql.skipTick(...seen(tick), next.toISOString(), reason));
  }

  /** False where it has changed meanwhile. */
  pauseAt(tick: SeenTick, reason: PauseReason, audit: Statement): Promise<boolean> {
    return this.unlessTaken([sql.pauseAtTick(...seen(tick), reason), audit]);
  }

  private async unlessTaken(statements: readonly Statement[]): Promise<boolean> {
    try {
      await this.database.batch(statements);
      return true;
    } catch (error) {
      if (error instanceof StockyardError && error.code === sql.TICK_TAKEN) return false;
      throw error;
    }
  }

  private async named(statements: readonly Statement[]) {
    try {
      return await this.database.batch(statements);
    } catch (error) {
      if (!isUniqueViolation(error, sql.NAME_KEY)) throw error;
      throw new StockyardError({
        code: 'schedule_name_taken',
        category: 'conflict',
        param: 'name',
        message: 'Another schedule has this name; choose another one.',
        cause: error,
      });
    }
  }
}

function required(schedule: Schedule | undefined): Schedule {
  if (!schedule) throw notFound();
  return schedule;
}

function seen({ schedule: { id, version }, at }: SeenTick): [string, number, string] {
  return [id, version, at.toISOString()];
}
