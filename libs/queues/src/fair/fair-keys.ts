/** Keys of a class beside BullMQ's own. All share the class's hash tag with those, because scripts touch both. */
import { queuePrefix, type QueueNaming } from '../connection/queue-connection';
import { JOB_CLASSES, type JobClass } from '../job-class';

export interface FairKeys {
  readonly clock: string;
  readonly finish: string;
  /** BullMQ's. */
  readonly prioritized: string;
  readonly active: string;
  /** BullMQ's: what the key of a job begins with. */
  readonly jobPrefix: string;
}

export class ClassKeys {
  private readonly queues: ReadonlyMap<JobClass, string>;

  constructor(naming: QueueNaming) {
    this.queues = new Map(JOB_CLASSES.map((name) => [name, `${queuePrefix(naming, name)}:${name}`]));
  }

  fair(jobClass: JobClass): FairKeys {
    const queue = this.queues.get(jobClass)!;
    return {
      clock: `${queue}:fair`,
      finish: `${queue}:fair-finish`,
      prioritized: `${queue}:prioritized`,
      active: `${queue}:active`,
      jobPrefix: `${queue}:`,
    };
  }

  /** The jobs of a tenant that run, and those set aside until one of them ends. */
  running(jobClass: JobClass, organizationId: string): [running: string, aside: string] {
    const queue = this.queues.get(jobClass)!;
    return [`${queue}:fair-running:${organizationId}`, `${queue}:fair-aside:${organizationId}`];
  }

  /** The tenants of a class that have jobs set aside. */
  asides(jobClass: JobClass): string {
    return `${this.queues.get(jobClass)!}:fair-asides`;
  }

  /** The workers of a class. */
  roll(jobClass: JobClass): string {
    return `${this.queues.get(jobClass)!}:workers`;
  }
}
