/** A point of a series as callers see it: times in milliseconds, latencies as percentiles. */
import type { ActivityPoint } from './activity.repository';
import { LatencySketch } from './latency-sketch';

const MS_DECIMALS = 1_000;

/** To the microsecond. */
const milliseconds = (us: number): number => Math.round(us) / MS_DECIMALS;

export function seriesPoint({ period_start, activity, latencies, bytes_stored, ...amounts }: ActivityPoint) {
  const { duration_us, database_us, job_ms, ...counts } = amounts;
  const sketch = LatencySketch.of(latencies);
  const percentile = (q: number) => {
    const us = sketch.quantile(q);
    return us === null ? null : milliseconds(us);
  };
  return {
    period_start: period_start.toISOString(),
    activity,
    ...counts,
    bytes_stored,
    job_milliseconds: job_ms,
    database_milliseconds: milliseconds(database_us),
    latency_milliseconds: {
      sum: milliseconds(duration_us),
      p50: percentile(0.5),
      p95: percentile(0.95),
      p99: percentile(0.99),
    },
  };
}

export type SeriesPoint = ReturnType<typeof seriesPoint>;
