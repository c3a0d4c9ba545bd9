/**
 * Questions to the metrics process, over the Nest Redis transport as request-reply. That transport delivers a question
 * to every replica: handlers answer from shared state and have no side effect; the first answer counts. That of a replica which is
 * out or has failed counts when no other comes within half a second.
 */

export interface UsageSummary {
  readonly organization_id: string;
  readonly from: string;
  readonly to: string;
  /** Sums over the hours that begin in [from, to), by metric name. */
  readonly metrics: readonly { readonly metric: string; readonly value: number }[];
}

export interface UsageSeriesQuestion {
  readonly organization_id: string;
  readonly from: string;
  readonly to: string;
  readonly granularity: 'minute' | 'hour' | 'day';
  readonly by_route: boolean;
  /** The last point that the asker has. */
  readonly after: { readonly period_start: string; readonly activity: string } | null;
  readonly limit: number;
}

export interface UsagePoint {
  readonly period_start: string;
  /** Empty for all that the tenant did. */
  readonly activity: string;
  readonly calls: number;
  readonly errors: number;
  readonly refusals: number;
  readonly job_milliseconds: number;
  readonly queries: number;
  readonly database_milliseconds: number;
  readonly rows_read: number;
  readonly rows_written: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly cache_bytes: number;
  readonly bytes_stored: number | null;
  /** Percentiles are null where nothing was timed. */
  readonly latency_milliseconds: {
    readonly sum: number;
    readonly p50: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
  };
}

export interface QueueDepth {
  readonly job_class: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
  /** Age of the oldest job that waits, 0 where none does. */
  readonly oldest_seconds: number;
  readonly workers: number;
  /** Jobs that all workers can run at once. */
  readonly slots: number;
  /** Smoothed time that a job takes; null before the first. */
  readonly service_ms: number | null;
  /** How long what waits will take. */
  readonly backlog_seconds: number;
}

export interface ReplicaState {
  /** Shard and server, such as `main/db-2:5432`. For operators. */
  readonly name: string;
  readonly reachable: boolean;
  /** Bytes of log that it has not replayed yet; null when unknown. */
  readonly lag_bytes: number | null;
  /** Age of the newest replayed commit, 0 when it has replayed all; null when unknown. */
  readonly lag_ms: number | null;
}

export interface ClusterSnapshot {
  readonly taken_at: string;
  /** Organizations by state; null while the directory does not answer. */
  readonly organizations: Readonly<Record<string, number>> | null;
  /** Null while the queue's Redis does not answer. */
  readonly queues: readonly QueueDepth[] | null;
  readonly replicas: readonly ReplicaState[];
}

export interface Questions {
  readonly 'usage.summary': {
    readonly asks: { readonly organization_id: string; readonly from: string; readonly to: string };
    readonly answers: UsageSummary;
  };
  readonly 'usage.series': {
    readonly asks: UsageSeriesQuestion;
    readonly answers: { readonly points: readonly UsagePoint[] };
  };
  readonly 'cluster.snapshot': { readonly asks: Readonly<Record<string, never>>; readonly answers: ClusterSnapshot };
}

export type QuestionName = keyof Questions;

/**
 * Asks and waits up to two seconds. Rejects with the StockyardError that the handler threw, or with
 * `metrics_unavailable` (unavailable) when no valid answer came in time.
 */
export abstract class PlatformQuestions {
  abstract ask<N extends QuestionName>(name: N, payload: Questions[N]['asks']): Promise<Questions[N]['answers']>;
}
