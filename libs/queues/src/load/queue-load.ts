/** How much work waits in each class, and how long it will take: what workers are scaled by. Reads only. */
import type { RedisClient } from '#libs/redis';
import type { Queue } from 'bullmq';
import type { QueueNaming } from '../connection/queue-connection';
import { ClassKeys, type FairKeys } from '../fair/fair-keys';
import type { JobClass } from '../job-class';
import { readRoll } from '../running/worker-roll';

/** Jobs from the head of the line among which the oldest is looked for: each tenant's own oldest job is near its head. */
const LOOKED_AT = 200;
/** Assumed of a class that has not run a job yet. */
const UNKNOWN_SERVICE_MS = 1_000;

export interface QueueLoad {
  readonly waiting: number;
  readonly active: number;
  /** Those included that were set aside because their tenant runs as many as it may. */
  readonly delayed: number;
  readonly failed: number;
  /** Since the job near the head of the line that has waited longest was added; 0 where none waits. */
  readonly oldest_seconds: number;
  /** Workers that run this class, and jobs that they can run at once. */
  readonly workers: number;
  readonly slots: number;
  /** Smoothed time that a job takes; null before the first. */
  readonly service_ms: number | null;
  /** waiting × service time ÷ slots; without a worker as if there was one slot. */
  readonly backlog_seconds: number;
}

/** Rejects while Redis does not answer. */
export async function readQueueLoad(redis: RedisClient, naming: QueueNaming, queue: Queue): Promise<QueueLoad> {
  const jobClass = queue.name as JobClass;
  const keys = new ClassKeys(naming);
  const [counts, roll, oldest] = await Promise.all([
    queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
    readRoll(redis, keys, jobClass),
    oldestSeconds(redis, keys.fair(jobClass)),
  ]);
  const { active = 0, delayed = 0, failed = 0 } = counts;
  const waiting = (counts.waiting ?? 0) + (counts.prioritized ?? 0);
  const { slots, workers, serviceMs } = roll;
  return {
    ...{ waiting, active, delayed, failed, oldest_seconds: oldest, workers, slots, service_ms: serviceMs },
    backlog_seconds: (waiting * (serviceMs ?? UNKNOWN_SERVICE_MS)) / 1_000 / Math.max(slots, 1),
  };
}

async function oldestSeconds(redis: RedisClient, { prioritized, jobPrefix }: FairKeys): Promise<number> {
  const ids = await redis.zrange(prioritized, 0, LOOKED_AT - 1);
  if (ids.length === 0) return 0;
  const replies = (await redis.pipeline(ids.map((id) => ['hget', jobPrefix + id, 'timestamp'])).exec()) ?? [];
  const added = replies.flatMap(([error, value]) => (error || value === null ? [] : [Number(value)]));
  return added.length === 0 ? 0 : Math.max(0, (Date.now() - Math.min(...added)) / 1_000);
}
