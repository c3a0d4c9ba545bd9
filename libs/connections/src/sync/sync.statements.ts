/**
 * What a run writes of its connection, for the batch of a step. Each names the version and the revision that it has read ($3, $4)
 * and refuses the whole batch where either has changed: then the run reads again.
 */
import { tenantStatement } from '#libs/database';
import { keptLineErrors } from '#libs/queues';

export const CONNECTION_MOVED = 'connection_moved';

const READ = `organization_id = $1 and id = $2 and version = $3 and revision = $4 and state = 'active'`;
const refuseUnlessMoved = `
  select refuse('${CONNECTION_MOVED}', 'conflict', 'The connection has changed since this run read it.')
  where not exists (select from moved)`;

/** A page was taken in: the cursor moves, the breaker closes; $7 when it was the last one for now. */
export const advanceConnection = tenantStatement(
  'connection_advance',
  `with moved as (
     update connections set cursor = $5, last_job_id = $6,
       last_success_at = case when $7::boolean then now() else last_success_at end, breaker_state = 'closed',
       breaker_failures = 0, breaker_openings = 0, breaker_retry_at = null, breaker_trial = null, revision = revision + 1
     where ${READ} returning id)
   ${refuseUnlessMoved}`,
);

/** Turns the breaker, and keeps the failure ($11, $12) that turned it, if one did. */
export const turnBreaker = tenantStatement(
  'connection_turn_breaker',
  `with moved as (
     update connections set last_job_id = $5, breaker_state = $6, breaker_failures = $7, breaker_openings = $8,
       breaker_trial = $9, breaker_retry_at = now() + $10::double precision * interval '1 millisecond',
       last_failure_at = case when $11::text is null then last_failure_at else now() end,
       last_failure_code = coalesce($11, last_failure_code), last_failure_message = coalesce($12, last_failure_message),
       revision = revision + 1
     where ${READ} returning id)
   ${refuseUnlessMoved}`,
);

/** Keeps the rows whose count could not be applied as line errors of the job, each with its SKU. */
export const COUNT_PROBLEMS = {
  name: 'sync_count_problems',
  wrap: (select: string): string =>
    keptLineErrors(
      `select reference_id as job_id, line, code, field, message || ' SKU ' || sku || '.' as message from (${select}) found`,
    ),
} as const;
