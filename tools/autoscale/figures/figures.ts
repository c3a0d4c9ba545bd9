/** What was measured of the real processes (measure/), as figures.json beside this file has it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessFigures } from '../model/workload';

export interface RequestFigures {
  readonly kind: string;
  /** Of all requests. */
  readonly share: number;
  /** Processor time of the api. */
  readonly cpu_seconds: number;
  /** The rest of the time that it takes alone, mostly the database's: values at evenly spaced quantiles from 0 to 1. */
  readonly wait_seconds: readonly number[];
}

export interface ApiFigures extends ProcessFigures {
  readonly requests: readonly RequestFigures[];
  /** Processor time of a request that is refused. */
  readonly refusal_cpu_seconds: number;
}

export interface WorkerFigures extends ProcessFigures {
  readonly job: string;
  readonly job_class: string;
  readonly job_cpu_seconds: number;
  /** All that it takes alone, at evenly spaced quantiles from 0 to 1. */
  readonly job_seconds: readonly number[];
}

export interface Figures {
  /** Where and how. */
  readonly origin: Readonly<Record<string, string | number>>;
  readonly api: ApiFigures;
  readonly worker: WorkerFigures;
}

export function readFigures(file = join(__dirname, 'figures.json')): Figures {
  return JSON.parse(readFileSync(file, 'utf8')) as Figures;
}
