/** A point of a series as callers see it: times in milliseconds, latencies as percentiles. */
import type { ActivityPoint } from './activity.repository';
import { LatencySketch, milliseconds } from './latency-sketch';

export function seriesPoint({ period_start, activity, latencies, bytes_stored, ...amounts }: ActivityPoint) {
  const { duration_us, database_us, job_ms, ...counts } = amounts;
  const sketch = LatencySketch.of(latencies);
  return {
    period_start: period_start.toISOString(),
    activity,
    ...counts,
    bytes_stored,
    job_milliseconds: job_ms,
    database_milliseconds: milliseconds(database_us),
    latency_milliseconds: {
      sum: milliseconds(duration_us),
      p50: sketch.quantileMs(0.5),
      p95: sketch.quantileMs(0.95),
      p99: sketch.quantileMs(0.99),
    },
  };
}

export type SeriesPoint = ReturnType<typeof seriesPoint>;
