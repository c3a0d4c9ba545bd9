/** Job classes: one BullMQ queue each, so that long work never stands in front of urgent work. */
import type { AppConfig } from '#libs/config';

export const JOB_CLASSES = ['critical', 'high', 'normal', 'low', 'bulk'] as const;
export type JobClass = (typeof JOB_CLASSES)[number];

/** How many jobs of each class one worker process runs at once; 0 for a class that WORKER_CLASSES leaves out. */
export function classConcurrency(config: AppConfig): Readonly<Record<JobClass, number>> {
  const { workerClasses } = config;
  const of = (jobClass: JobClass, slots: number) => (workerClasses.includes(jobClass) ? slots : 0);
  return {
    critical: of('critical', config.QUEUE_CONCURRENCY_CRITICAL),
    high: of('high', config.QUEUE_CONCURRENCY_HIGH),
    normal: of('normal', config.QUEUE_CONCURRENCY_NORMAL),
    low: of('low', config.QUEUE_CONCURRENCY_LOW),
    bulk: of('bulk', config.QUEUE_CONCURRENCY_BULK),
  };
}
