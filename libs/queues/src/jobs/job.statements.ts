/** SQL of jobs, as statements for the caller's own batch. */
import { tenantRead, tenantStatement } from '#libs/database';
import { KEPT_LINES } from './job-log';

const COLUMNS = `id, type, class, state, payload, processed, failed, total, checkpoint, result, error, attempts,
  priority, dedupe_key, run_at, max_attempts, round, log_lines, created_at, started_at, finished_at`;
const TARGET = 'organization_id = $1 and id = $2';
/** What a run may change: its job, in the round that it was started for. One of a round before is out of date. */
const RUN = `${TARGET} and round = $3`;

interface Move {
  readonly set: string;
  readonly when: string;
  /** The parameter with the lines of log that are written with it, as JSON. */
  readonly lines: string;
}

/** Common table expressions: `moved`, the changed job if it may be changed, and its log, of which the oldest lines go. */
const moving = ({ set, when, lines }: Move): string => `
  moved as (
    update jobs set ${set}, log_lines = log_lines + jsonb_array_length(${lines}::jsonb) where ${when} returning ${COLUMNS}),
  written as (
    insert into job_log (organization_id, job_id, line, at, level, message)
    select $1, moved.id, moved.log_lines - jsonb_array_length(${lines}::jsonb) + given.position,
      (given.line->>'at')::timestamptz, given.line->>'level', given.line->>'message'
    from moved cross join jsonb_array_elements(${lines}::jsonb) with ordinality as given (line, position)),
  dropped as (
    delete from job_log using moved
    where job_log.organization_id = $1 and job_id = moved.id and line <= moved.log_lines - ${KEPT_LINES})`;

const moveRun = (name: string, set: string, when: string) =>
  tenantStatement(
    name,
    `with ${moving({ set, when: `${RUN} and ${when}`, lines: '$4' })} select ${COLUMNS} from moved`,
  );

/** Up to 16 less urgent jobs that wait in a class, in their first round: with them an urgent one may change places. */
const lessUrgent = (jobClass: string, priority: string): string => `
  select jsonb_agg(found.id) as ids from (
    select id from jobs where organization_id = $1 and class = ${jobClass} and state = 'queued' and priority > ${priority}
      and run_at is null and round = 0 order by priority desc, id limit 16) found`;

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
   less_urgent as (${lessUrgent('$4', '$10')})
   insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
   select $1, made.id, 'job.queued', 'job', made.id,
     $14::jsonb || case when ids is null then '{}'::jsonb else jsonb_build_object('ahead_of', ids) end
   from made cross join less_urgent`,
);

export const JOB_KEY_TAKEN = 'job_key_taken';

/** In the batch that makes a job: refuses it with JOB_KEY_TAKEN where an open job has the key, and none was made. */
export const requireJobMade = tenantStatement(
  'job_require_made',
  `select refuse('${JOB_KEY_TAKEN}', 'conflict', 'An open job has this key.')
   where not exists (select from jobs where organization_id = $1 and id = $2)`,
);

/** The open job of a type that has a key. */
export const selectOpenByKey = tenantStatement(
  'job_select_by_key',
  `select ${COLUMNS} from jobs
   where organization_id = $1 and type = $2 and dedupe_key = $3 and state in ('queued', 'running')`,
);

export const selectJob = tenantRead('job_select', `select ${COLUMNS} from jobs where ${TARGET}`);

/** As it stands on the primary: for who watches it and was told that it has moved. */
export const selectJobNow = tenantRead('job_select_now', `select ${COLUMNS} from jobs where ${TARGET}`, 'primary');

export const listJobs = tenantRead(
  'job_list',
  `select ${COLUMNS} from jobs
   where organization_id = $1 and ($2::text is null or state = $2) and ($3::text is null or type = $3)
     and ($4::text is null or class = $4)
     and ($5::timestamptz is null or created_at > $5) and ($6::timestamptz is null or created_at < $6)
     and ($7::uuid is null or id < $7)
   order by id desc limit $8`,
);

/** A worker takes the job up, for the first time or again. The type ($6) must be the row's own. */
export const startJob = moveRun(
  'job_start',
  `state = 'running', attempts = $5, started_at = coalesce(started_at, now())`,
  `type = $6 and state in ('queued', 'running')`,
);

/** Back to the queue: handed back by a worker that stops, or waiting for the next attempt. */
export const releaseJob = moveRun('job_release', `state = 'queued'`, `state = 'running'`);

export const completeJob = moveRun(
  'job_complete',
  `state = 'completed', result = $5::jsonb, total = processed, finished_at = now()`,
  `state = 'running'`,
);

/** For good: the row and, as $7, its dead letter, or neither. A letter that an earlier release left behind is replaced. */
export const failJob = tenantStatement(
  'job_fail',
  `with ${moving({
    set: `state = 'failed', error = $5::jsonb, finished_at = now()`,
    when: `${RUN} and type = $6 and state in ('queued', 'running')`,
    lines: '$4',
  })},
   letter as (
     insert into dead_letters (organization_id, id, job_id, type, class, payload, error, attempts, failed_at)
     select $1, $7, id, type, class, payload, error, attempts, finished_at from moved
     on conflict (organization_id, job_id) do update set (id, payload, error, attempts, failed_at) =
       (excluded.id, excluded.payload, excluded.error, excluded.attempts, excluded.failed_at))
   select ${COLUMNS} from moved`,
);

export const cancelJob = tenantStatement(
  'job_cancel',
  `with ${moving({
    set: `state = 'cancelled', finished_at = now()`,
    when: `${TARGET} and state in ('queued', 'running')`,
    lines: '$3',
  })} select ${COLUMNS} from moved`,
);

/**
 * Common table expressions: `moved`, a job that ended, into its next round: queued from its checkpoint, with all of its attempts;
 * `letter`, its dead letter, which goes; and the outbox row ($4) that says so. Lines of its log: $3. A version that is not
 * readable is sent as 0, for the consumer to refuse.
 */
const requeuing = (when: string): string => `${moving({
  set: `state = 'queued', round = round + 1, attempts = 0, result = null, error = null, run_at = null,
      started_at = null, finished_at = null`,
  when,
  lines: '$3',
})},
   letter as (
     delete from dead_letters using moved
     where dead_letters.organization_id = $1 and dead_letters.job_id = moved.id returning dead_letters.id),
   sent as (
     insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
     select $1, $4, 'job.queued', 'job', moved.id, jsonb_strip_nulls(jsonb_build_object(
       'job_id', moved.id, 'organization_id', $1::uuid, 'type', moved.type,
       'version', case when moved.payload->>'version' ~ '^[1-9][0-9]{0,8}$' then (moved.payload->>'version')::integer else 0 end,
       'round', moved.round, 'attempts', moved.max_attempts, 'ahead_of', less_urgent.ids))
     from moved cross join lateral (${lessUrgent('moved.class', 'moved.priority')}) less_urgent)`;

/**
 * A job that failed or was cancelled and has no dead letter, queued again. One of several that ask at the same time finds it
 * there. Violates `jobs_dedupe_key` while another open job has its key.
 */
export const retryJob = tenantStatement(
  'job_retry',
  `with ${requeuing(`${TARGET} and state in ('failed', 'cancelled')
     and not exists (select from dead_letters l where l.organization_id = $1 and l.job_id = $2)`)}
   select ${COLUMNS} from moved`,
);

export const LETTER_GONE = 'dead_letter_gone';

export const orLetterGone = (found: string): string => `where case when ${found} then true
     else refuse('${LETTER_GONE}', 'not_found', 'The dead letter is not there, or no longer.') is null end`;

/**
 * The same for the job of a dead letter ($2). The job's row is locked first, as wherever a job moves. Refuses with LETTER_GONE
 * where somebody else was faster, and violates `jobs_dedupe_key` too.
 */
export const replayLetter = tenantStatement(
  'dead_letter_replay',
  `with ${requeuing(`organization_id = $1 and state = 'failed'
     and id = (select l.job_id from dead_letters l where l.organization_id = $1 and l.id = $2)`)}
   select ${COLUMNS} from (values (1)) one left join moved on true
   ${orLetterGone('exists (select from letter where letter.id = $2)')}`,
);

/** Progress of a job that has no checkpoint. */
export const reportJob = moveRun(
  'job_report',
  'processed = $5, failed = $6, total = coalesce($7, total)',
  `state = 'running'`,
);

export const CHECKPOINT_MOVED = 'job_checkpoint_moved';

/**
 * The guard of a chunk: moves the checkpoint from the value that this run last saw ($5) to the next one ($6), and
 * otherwise refuses the whole batch. So a chunk takes effect once, whoever runs it, and never after a cancellation.
 */
export const advanceJob = tenantStatement(
  'job_advance',
  `with ${moving({
    set: 'checkpoint = $6::jsonb, processed = $7, failed = $8, total = coalesce($9, total)',
    when: `${RUN} and state = 'running' and checkpoint is not distinct from $5::jsonb`,
    lines: '$4',
  })}
   select refuse('${CHECKPOINT_MOVED}', 'conflict', 'This run of the job is out of date.')
   where not exists (select from moved)`,
);

/** Closes a chunk: the counts as they stand with everything the chunk's statements added to them. */
export const jobProgress = tenantStatement('job_progress', `select processed, failed, total from jobs where ${TARGET}`);

/** What is kept of the lines that a job left out; `failed` counts on, so that a file of nothing but garbage does not fill the table. */
export const MOST_LINE_ERRORS = 10_000;

const roomFor = (job: string): string => `${MOST_LINE_ERRORS} - (select count(*) from
  (select from job_line_errors where organization_id = $1 and job_id = ${job} limit ${MOST_LINE_ERRORS}) there)`;

/** The first MOST_LINE_ERRORS of a job are kept. */
export const insertLineErrors = tenantStatement(
  'job_line_errors_insert',
  `insert into job_line_errors (organization_id, job_id, line, code, field, message)
   select $1, $2, e.line, e.code, e.field, e.message
   from jsonb_to_recordset($3::jsonb) as e (line bigint, code text, field text, message text)
   order by e.line limit ${roomFor('$2')}
   on conflict do nothing`,
);

/**
 * A statement that keeps the rows of a SELECT of (job_id uuid, line, code, field, message), all of one job, as line errors, the
 * first MOST_LINE_ERRORS of it, and counts them in the job's `failed`: in the statement that finds them, so that report and
 * effect commit together.
 */
export const keptLineErrors = (select: string): string => `
  with problem as materialized (${select}),
  kept as (
    insert into job_line_errors (organization_id, job_id, line, code, field, message)
    select $1, job_id, line, code, field, message from problem
    order by line limit ${roomFor('(select job_id from problem limit 1)')}
    on conflict do nothing)
  update jobs set failed = failed + (select count(*) from problem)
  where organization_id = $1 and id = (select job_id from problem limit 1) returning failed`;

export const listLineErrors = tenantRead(
  'job_line_errors_list',
  `select line, code, field, message from job_line_errors
   where organization_id = $1 and job_id = $2 and line > $3 order by line limit $4`,
);

const LOG_LINES = `select line, at, level, message from job_log
  where organization_id = $1 and job_id = $2 and line > $3 order by line limit $4`;

export const listLogLines = tenantRead('job_log_list', LOG_LINES);

/** As they stand on the primary. */
export const listLogLinesNow = tenantRead('job_log_list_now', LOG_LINES, 'primary');

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
