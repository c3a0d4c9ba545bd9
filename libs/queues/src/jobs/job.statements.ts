/** SQL of jobs, as statements for the caller's own batch. */
import { tenantRead, tenantStatement } from '#libs/database';

const COLUMNS = `id, type, class, state, payload, processed, failed, total, checkpoint, result, error, attempts,
  priority, dedupe_key, run_at, max_attempts, created_at, started_at, finished_at`;
const TARGET = 'organization_id = $1 and id = $2';

/** Refuses with `queue_full` (429) what would wait beyond `max_waiting_jobs`. */
export const requireJobRoom = tenantStatement('job_room', 'select require_job_room($1, $2)');

/**
 * Job row and outbox row; neither where an open job of the type has the key already. The outbox row has the job's id: one row
 * a job, and whoever knows the job knows what it is called in the queue. It names up to 16 less urgent ones of the same class.
 */
export const insertJob = tenantStatement(
  'job_insert',
  `with made as (
     insert into jobs (organization_id, id, type, class, payload, total, actor_type, actor_id, created_at,
       priority, dedupe_key, run_at, max_attempts)
     values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9, $10, $11, $12, $13)
     on conflict (organization_id, type, dedupe_key) where dedupe_key is not null and state in ('queued', 'running')
       do nothing returning id),
   less_urgent as (
     select jsonb_agg(found.id) as ids from (
       select id from jobs where organization_id = $1 and class = $4 and state = 'queued' and priority > $10
         and run_at is null order by priority desc, id limit 16) found)
   insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
   select $1, made.id, 'job.queued', 'job', made.id,
     $14::jsonb || case when ids is null then '{}'::jsonb else jsonb_build_object('ahead_of', ids) end
   from made cross join less_urgent`,
);

/** The open job of a type that has a key. */
export const selectOpenByKey = tenantStatement(
  'job_select_by_key',
  `select ${COLUMNS} from jobs
   where organization_id = $1 and type = $2 and dedupe_key = $3 and state in ('queued', 'running')`,
);

export const selectJob = tenantRead('job_select', `select ${COLUMNS} from jobs where ${TARGET}`);

export const listJobs = tenantRead(
  'job_list',
  `select ${COLUMNS} from jobs
   where organization_id = $1 and ($2::text is null or state = $2) and ($3::text is null or type = $3)
     and ($4::uuid is null or id < $4)
   order by id desc limit $5`,
);

/** A worker takes the job up, for the first time or again. The type ($4) must be the row's own. */
export const startJob = tenantStatement(
  'job_start',
  `update jobs set state = 'running', attempts = $3, started_at = coalesce(started_at, now())
   where ${TARGET} and type = $4 and state in ('queued', 'running') returning ${COLUMNS}`,
);

/** Back to the queue: handed back by a worker that stops, or waiting for the next attempt. */
export const releaseJob = tenantStatement(
  'job_release',
  `update jobs set state = 'queued' where ${TARGET} and state = 'running' returning ${COLUMNS}`,
);

export const completeJob = tenantStatement(
  'job_complete',
  `update jobs set state = 'completed', result = $3::jsonb, total = processed, finished_at = now()
   where ${TARGET} and state = 'running' returning ${COLUMNS}`,
);

export const failJob = tenantStatement(
  'job_fail',
  `update jobs set state = 'failed', error = $3::jsonb, finished_at = now()
   where ${TARGET} and type = $4 and state in ('queued', 'running') returning ${COLUMNS}`,
);

export const cancelJob = tenantStatement(
  'job_cancel',
  `update jobs set state = 'cancelled', finished_at = now()
   where ${TARGET} and state in ('queued', 'running') returning ${COLUMNS}`,
);

/** Progress of a job that has no checkpoint. */
export const reportJob = tenantStatement(
  'job_report',
  `update jobs set processed = $3, failed = $4, total = coalesce($5, total)
   where ${TARGET} and state = 'running' returning ${COLUMNS}`,
);

export const CHECKPOINT_MOVED = 'job_checkpoint_moved';

/**
 * The guard of a chunk: moves the checkpoint from the value that this run last saw ($3) to the next one ($4), and
 * otherwise refuses the whole batch. So a chunk takes effect once, whoever runs it, and never after a cancellation.
 */
export const advanceJob = tenantStatement(
  'job_advance',
  `with advanced as (
     update jobs set checkpoint = $4::jsonb, processed = $5, failed = $6, total = coalesce($7, total)
     where ${TARGET} and state = 'running' and checkpoint is not distinct from $3::jsonb returning id)
   select refuse('${CHECKPOINT_MOVED}', 'conflict', 'This run of the job is out of date.')
   where not exists (select from advanced)`,
);

/** Closes a chunk: the counts as they stand with everything the chunk's statements added to them. */
export const jobProgress = tenantStatement('job_progress', `select processed, failed, total from jobs where ${TARGET}`);

export const insertLineErrors = tenantStatement(
  'job_line_errors_insert',
  `insert into job_line_errors (organization_id, job_id, line, code, field, message)
   select $1, $2, e.line, e.code, e.field, e.message
   from jsonb_to_recordset($3::jsonb) as e (line bigint, code text, field text, message text)
   on conflict do nothing`,
);

export const listLineErrors = tenantRead(
  'job_line_errors_list',
  `select line, code, field, message from job_line_errors
   where organization_id = $1 and job_id = $2 and line > $3 order by line limit $4`,
);

/** Jobs that should be in a queue, to be compared with it. */
export const openJobs = tenantRead(
  'job_list_open',
  `select ${COLUMNS} from jobs where organization_id = $1 and state in ('queued', 'running')
     and created_at < now() - make_interval(secs => $2) and id > $3 order by id limit $4`,
);

export const finishedJobs = tenantRead(
  'job_list_finished',
  `select ${COLUMNS} from jobs where organization_id = $1 and state in ('completed', 'failed', 'cancelled')
     and finished_at < now() - make_interval(days => $2) order by id limit $3`,
);

export const deleteJobs = tenantStatement(
  'job_delete',
  'delete from jobs where organization_id = $1 and id = any ($2::uuid[])',
);
