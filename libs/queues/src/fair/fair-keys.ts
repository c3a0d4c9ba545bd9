/** Keys of the fair order. All share the queues' hash tag with BullMQ's own, because scripts touch both. */
import { queuePrefix } from '../connection/queue-connection';
import type { JobClass } from '../job-class';

export interface FairKeys {
  readonly clock: string;
  readonly finish: string;
  /** BullMQ's. */
  readonly prioritized: string;
  readonly active: string;
  /** BullMQ's: what the key of a job begins with. */
  readonly jobPrefix: string;
}

export function fairKeys(prefix: string, jobClass: JobClass): FairKeys {
  const queue = `${queuePrefix({ REDIS_KEY_PREFIX: prefix })}:${jobClass}`;
  return {
    clock: `${queue}:fair`,
    finish: `${queue}:fair-finish`,
    prioritized: `${queue}:prioritized`,
    active: `${queue}:active`,
    jobPrefix: `${queue}:`,
  };
}

/** The jobs of a tenant that run, and those set aside until one of them ends. */
export function runningKeys(
  prefix: string,
  jobClass: JobClass,
  organizationId: string,
): [running: string, aside: string] {
  const { clock } = fairKeys(prefix, jobClass);
  return [`${clock}-running:${organizationId}`, `${clock}-aside:${organizationId}`];
}

/** The workers of a class. */
export function rollKey(prefix: string, jobClass: JobClass): string {
  return `${fairKeys(prefix, jobClass).jobPrefix}workers`;
}

/** The tenants of a class that have jobs set aside. */
export function asidesKey(prefix: string, jobClass: JobClass): string {
  return `${fairKeys(prefix, jobClass).clock}-asides`;
}
