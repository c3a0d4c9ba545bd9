/** What an activity came to as people read it: times in milliseconds, latencies as percentiles. */
import { type ActivityCell, isJobActivity, WHOLE } from '../activity/activity-cell';
import { milliseconds } from '../activity/latency-sketch';

const US_PER_MS = 1_000;

export interface ActivityFigures {
  readonly calls: number;
  readonly errors: number;
  readonly refusals: number;
  /** Null where nothing was timed. */
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
  readonly busy_ms: number;
  readonly job_ms: number;
  /** Null of one activity: the database is counted for all that was done, not by route. */
  readonly database_ms: number | null;
  readonly queries: number | null;
  readonly bytes_out: number;
}

/** Of all that was done, or of one activity: the time of a job's runs is its `job_ms`, and no request's. */
export function activityFigures({ amounts, latencies }: ActivityCell, activity = WHOLE): ActivityFigures {
  const { calls, errors, refusals, duration_us, job_ms, database_us, queries, bytes_out } = amounts;
  const isWhole = activity === WHOLE;
  return {
    ...{ calls, errors, refusals },
    p50_ms: latencies.quantileMs(0.5),
    p95_ms: latencies.quantileMs(0.95),
    p99_ms: latencies.quantileMs(0.99),
    busy_ms: isJobActivity(activity) ? job_ms : milliseconds(duration_us + job_ms * US_PER_MS),
    job_ms,
    database_ms: isWhole ? milliseconds(database_us) : null,
    queries: isWhole ? queries : null,
    bytes_out,
  };
}
