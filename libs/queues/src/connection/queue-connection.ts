/** Names and connections of the queues in Redis. */
import type { AppConfig } from '#libs/config';
import { redisKey, redisOptions } from '#libs/redis';
import type { ConnectionOptions } from 'bullmq';
import type { RedisOptions } from 'ioredis';

/** ioredis client of everything that only adds to the queues; errors at once while the server is away. */
export const PRODUCER_REDIS = Symbol('PRODUCER_REDIS');

const ADD_TIMEOUT_MS = 5_000;
const RECONNECT_MS = 500;

/**
 * BullMQ's key prefix. The hash tag keeps all keys of the queues in one slot, which its scripts need on a cluster:
 * `stockyard:{queue}:bulk:wait`.
 */
export function queuePrefix(config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>): string {
  return redisKey(config.REDIS_KEY_PREFIX, '{queue}', null);
}

/** Fails instead of queueing commands in memory: what could not be added stays in the outbox. */
export function producerRedisOptions(): RedisOptions {
  return {
    ...redisOptions('queue'),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: ADD_TIMEOUT_MS,
    autoResendUnfulfilledCommands: false,
  };
}

/** Waits for the server: a worker without Redis has nothing to do. BullMQ opens two connections a queue from this. */
export function workerRedisOptions(config: AppConfig): ConnectionOptions {
  const retryStrategy = redisOptions('queue').retryStrategy ?? (() => RECONNECT_MS);
  return { url: config.REDIS_URL, maxRetriesPerRequest: null, retryStrategy };
}
