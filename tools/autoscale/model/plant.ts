/** What is scaled: takes a load, and shows what Prometheus would scrape of it. */
import type { Series } from '../prometheus/samples';
import type { Fleet } from './fleet';
import type { Pod } from './pod';

/** Of the time since the row before. */
export interface PlantRow {
  readonly p95Seconds: number;
  /** What waits at the end: requests that are late already, or jobs. */
  readonly backlog: number;
  /** Of the job that has waited longest; 0 of requests. */
  readonly oldestSeconds: number;
}

/** Of the whole run. */
export interface Outcome {
  readonly total: number;
  /** Answered, or begun, within the objective. */
  readonly inTime: number;
  /** Refused, or nobody was there. */
  readonly failed: number;
}

export interface Plant {
  readonly fleet: Fleet;
  /** From `now` on for a second. `looked`: request by request; otherwise as a fluid. */
  advance(now: number, looked: boolean): void;
  series(now: number): Series[];
  row(now: number): PlantRow;
  outcome(): Outcome;
}

export const busyUntil = (pod: Pod): number => pod.processor.freeAt;
export const NAMESPACE = 'stockyard';
