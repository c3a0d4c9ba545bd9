/** Job classes: one BullMQ queue each, so that long work never stands in front of urgent work. */
import type { AppConfig } from '#libs/config';

export const JOB_CLASSES = ['critical', 'high', 'normal', 'low', 'bulk'] as const;
export type JobClass = (typeof JOB_CLASSES)[number];

/** How many jobs of each class one worker process runs at once. */
export function classConcurrency(config: AppConfig): Readonly<Record<JobClass, number>> {
  return {
    critical: config.QUEUE_CONCURRENCY_CRITICAL,
    high: config.QUEUE_CONCURRENCY_HIGH,
    normal: config.QUEUE_CONCURRENCY_NORMAL,
    low: config.QUEUE_CONCURRENCY_LOW,
    bulk: config.QUEUE_CONCURRENCY_BULK,
  };
}
