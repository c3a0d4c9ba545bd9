/** Names and connections of the queues in Redis. */
import { type AppConfig, redisServers } from '#libs/config';
import { keyServerOptions, redisKey, redisOptions, sentinelOptions } from '#libs/redis';
import type { ConnectionOptions } from 'bullmq';
import type { JobClass } from '../job-class';

/** Client of everything that only adds to the queues; errors at once while the server is away. */
export const PRODUCER_REDIS = Symbol('PRODUCER_REDIS');

const RECONNECT_MS = 500;

/** What the names of keys depend on. */
export type QueueNaming = Pick<AppConfig, 'REDIS_KEY_PREFIX' | 'REDIS_URL'>;

/**
 * BullMQ's key prefix. In a cluster the hash tag keeps all keys of a class in one slot, which its scripts need, and lets the classes
 * spread over the nodes: `stockyard:{queue-bulk}:bulk:wait`. Where there is one server: `stockyard:{queue}:bulk:wait`.
 */
export function queuePrefix({ REDIS_KEY_PREFIX, REDIS_URL }: QueueNaming, jobClass: string): string {
  const tag = redisServers(REDIS_URL).kind === 'cluster' ? `{queue-${jobClass}}` : '{queue}';
  return redisKey(REDIS_KEY_PREFIX, tag, null);
}

/**
 * Waits for the server: a worker without Redis has nothing to do. BullMQ opens two connections a class from this. In a cluster they
 * lead to the node that has the class, for there is nothing to say to the others.
 */
export function workerConnection(naming: QueueNaming, jobClass: JobClass): ConnectionOptions {
  const { REDIS_URL: url } = naming;
  const { kind } = redisServers(url);
  if (kind === 'cluster') return keyServerOptions(url, queuePrefix(naming, jobClass)) as ConnectionOptions;
  if (kind === 'sentinel') return sentinelOptions(url, redisOptions('queue')) as ConnectionOptions;
  const retryStrategy = redisOptions('queue').retryStrategy ?? (() => RECONNECT_MS);
  return { url, maxRetriesPerRequest: null, retryStrategy };
}
