/** SQL of schedules. */
import { tenantRead, tenantStatement } from '#libs/database';

const COLUMNS = `id, name, cron, time_zone, job_type, payload, state, paused_reason, next_run_at, last_run_at, last_job_id,
  last_skipped_at, last_skip_reason, version, created_at, updated_at`;
const TARGET = 'organization_id = $1 and id = $2';

/** Of `unique (organization_id, name)`. */
export const NAME_KEY = 'schedules_organization_id_name_key';

/** Until the transaction ends, nobody else adds a schedule of the organization. */
export const lockSchedules = tenantStatement(
  'schedule_lock',
  "select pg_advisory_xact_lock(hashtextextended('schedules:' || $1::uuid::text, 0))",
);

/** Refuses with `limit_exceeded` (403) when one more would be beyond `max_schedules`. Under the lock. */
export const requireScheduleRoom = tenantStatement(
  'schedule_room',
  `select require_tenant_limit($1, 'max_schedules', (select count(*) from schedules where organization_id = $1) + 1)`,
);

export const insertSchedule = tenantStatement(
  'schedule_insert',
  `insert into schedules (organization_id, id, name, cron, time_zone, job_type, payload, next_run_at)
   values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8) returning ${COLUMNS}`,
);

export const selectSchedule = tenantRead('schedule_select', `select ${COLUMNS} from schedules where ${TARGET}`);

/** For whoever decides by what it reads. */
export const selectNewestSchedule = tenantRead(
  'schedule_select_newest',
  `select ${COLUMNS} from schedules where ${TARGET}`,
  'primary',
);

export const listSchedules = tenantRead(
  'schedule_list',
  `select ${COLUMNS} from schedules where organization_id = $1 and ($2::uuid is null or id < $2)
     and ($3::text is null or state = $3)
   order by id desc limit $4`,
);

const refuseUnlessChanged = `
  select refuse('version_mismatch', 'precondition_failed',
    'The resource has changed since you read it; read it again and repeat the change.', 'If-Match')
  where not exists (select from changed)`;

/** From the version that was read ($3). A tick that a run has just moved on stays moved, unless the timing changes ($9). */
export const updateSchedule = tenantStatement(
  'schedule_update',
  `with changed as (
     update schedules set name = $4, cron = $5, time_zone = $6, payload = $7::jsonb, state = $8,
       next_run_at = case when $9::boolean then $10::timestamptz else next_run_at end, paused_reason = $11,
       version = version + 1, updated_at = now()
     where ${TARGET} and version = $3 returning id)
   ${refuseUnlessChanged}`,
);

export const deleteSchedule = tenantStatement(
  'schedule_delete',
  `with changed as (delete from schedules where ${TARGET} and version = $3 returning id) ${refuseUnlessChanged}`,
);

export const TICK_TAKEN = 'schedule_tick_taken';

/**
 * What a worker knows of the tick that it is about to take: the version ($3) and the time ($4) that it has read. Not by `=`, for which
 * the index of what is due would do too, with the schedules of all tenants that are due at midnight.
 */
const TICK = `${TARGET} and state = 'active' and version = $3 and next_run_at is not distinct from $4::timestamptz`;
const refuseUnlessTaken = `
  select refuse('${TICK_TAKEN}', 'conflict', 'This tick of the schedule was taken or has changed.')
  where not exists (select from taken)`;

/** Moves a schedule on from a tick, and otherwise refuses the whole batch: so a tick has one job, whoever sees it due. */
export const takeTick = tenantStatement(
  'schedule_take_tick',
  `with taken as (
     update schedules set next_run_at = $5, last_run_at = now(), last_job_id = $6 where ${TICK} returning id)
   ${refuseUnlessTaken}`,
);

/** Moves it on without a job. */
export const skipTick = tenantStatement(
  'schedule_skip_tick',
  `update schedules set next_run_at = $5, last_skipped_at = $4::timestamptz, last_skip_reason = $6 where ${TICK}`,
);

/** The platform pauses it. Refuses the whole batch where it has changed. */
export const pauseAtTick = tenantStatement(
  'schedule_pause_at_tick',
  `with taken as (
     update schedules set state = 'paused', paused_reason = $5, next_run_at = null, version = version + 1, updated_at = now()
     where ${TICK} returning id)
   ${refuseUnlessTaken}`,
);
