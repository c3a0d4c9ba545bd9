/** What one activity of a tenant came to in one minute. */
import { LatencySketch } from './latency-sketch';

/** Whole numbers that add up. */
export const AMOUNTS = [
  'calls',
  'errors',
  'refusals',
  'duration_us',
  'job_ms',
  'queries',
  'database_us',
  'rows_read',
  'rows_written',
  'bytes_in',
  'bytes_out',
  'cache_bytes',
] as const;

export type Amount = (typeof AMOUNTS)[number];
export type Amounts = Readonly<Record<Amount, number>>;

/** All that a tenant did, and what has neither route nor job. */
export const WHOLE = '';
const JOB = 'job ';

/** Of a route template, such as `GET /v1/orders/:id`. */
export function routeActivity(method: string, url: string | undefined): string {
  return `${method} ${url ?? ''}`;
}

/** Of a type of job. Its calls are runs, its errors those that failed, its latencies their times. */
export function jobActivity(type: string): string {
  return `${JOB}${type}`;
}

export class ActivityCell {
  readonly amounts: Record<Amount, number> = {
    ...{ calls: 0, errors: 0, refusals: 0, duration_us: 0, job_ms: 0, queries: 0 },
    ...{ database_us: 0, rows_read: 0, rows_written: 0, bytes_in: 0, bytes_out: 0, cache_bytes: 0 },
  };
  readonly latencies = new LatencySketch();

  /** As it stands in a row, with the pairs of its sketch. */
  static of(row: Amounts & { readonly latencies: readonly number[] }): ActivityCell {
    const cell = new ActivityCell();
    for (const amount of AMOUNTS) cell.amounts[amount] = row[amount];
    cell.latencies.merge(LatencySketch.of(row.latencies));
    return cell;
  }

  /** A request was answered, or a run has ended. */
  ended(durationUs: number, failed: boolean): void {
    if (failed) this.amounts.errors += 1;
    this.amounts.duration_us += Math.round(durationUs);
    this.latencies.add(durationUs);
  }

  absorb(other: ActivityCell): void {
    for (const amount of AMOUNTS) this.amounts[amount] += other.amounts[amount];
    this.latencies.merge(other.latencies);
  }
}

export function isJobActivity(activity: string): boolean {
  return activity.startsWith(JOB);
}

/** What runs of a job are counted by is no request of the tenant. */
const OF_RUNS: ReadonlySet<Amount> = new Set(['calls', 'errors', 'duration_us']);

/** All activities of a minute as one; how often and how long jobs ran stands in their own cells, and in `job_ms`. */
export function wholeOf(cells: ReadonlyMap<string, ActivityCell>): ActivityCell {
  const whole = new ActivityCell();
  for (const [activity, cell] of cells) {
    const isJob = isJobActivity(activity);
    for (const amount of AMOUNTS) {
      if (!isJob || !OF_RUNS.has(amount)) whole.amounts[amount] += cell.amounts[amount];
    }
    if (!isJob) whole.latencies.merge(cell.latencies);
  }
  return whole;
}
