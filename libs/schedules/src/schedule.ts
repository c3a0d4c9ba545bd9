/** A schedule as its row stands. */
import type { Timing } from './cron/ticks';

/** State machine: active → paused (by its tenant, or by the platform with a reason) → active. */
export const SCHEDULE_STATES = ['active', 'paused'] as const;
export type ScheduleState = (typeof SCHEDULE_STATES)[number];

/** Why the platform pauses a schedule: it could not run, and would not at its next tick either. */
export type PauseReason = 'job_type_not_schedulable' | 'invalid_payload' | 'never_fires';

/** Why a tick is passed over. */
export type SkipReason = 'queue_full' | 'already_run' | 'still_running';

export interface Schedule extends Timing {
  readonly id: string;
  readonly name: string;
  readonly job_type: string;
  readonly payload: { readonly version: number; readonly data: unknown };
  readonly state: ScheduleState;
  readonly paused_reason: string | null;
  /** null while it is paused. */
  readonly next_run_at: Date | null;
  readonly last_run_at: Date | null;
  readonly last_job_id: string | null;
  /** The last tick that was passed over. */
  readonly last_skipped_at: Date | null;
  readonly last_skip_reason: string | null;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}
