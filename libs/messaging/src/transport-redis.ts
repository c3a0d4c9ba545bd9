/**
 * The Redis connections of the transport: one that is away is reported once and waited for, and never ends a process. Of a cluster
 * any node will do, as each passes on what is published to all; a connection whose node goes moves to another one.
 */
import { Logger } from '@nestjs/common';
import { redisServers } from '#libs/config';
import { addressOf, anyServer, clusterOptions, keepAlive, sentinelOptions } from '#libs/redis';
import { Redis, type RedisOptions } from 'ioredis';

const COMMAND_TIMEOUT_MS = 2_000;
const RECONNECT_CAP_MS = 1_000;

/**
 * Nest's transport drops the promises of some commands. Here each is marked as handled, so that a lost connection
 * rejects whoever awaits it and is no unhandled rejection for the rest.
 */
class TransportRedis extends Redis {
  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    const result = super.sendCommand(...command);
    if (result instanceof Promise) result.catch(() => undefined);
    return result;
  }
}

const OPTIONS: RedisOptions = {
  lazyConnect: true, // Nest connects after it has attached its listeners
  enableOfflineQueue: false,
  autoResubscribe: true,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: COMMAND_TIMEOUT_MS,
  disconnectTimeout: 100, // a timer that outlives a socket which was closed before
  retryStrategy: (attempt) => Math.min(attempt * 50, RECONNECT_CAP_MS),
};

/** A connection that is not open yet; `role` stands in its log entries. */
export function transportRedis(url: string, role: string): Redis {
  const logger = new Logger('Messaging');
  const redis = open(url);
  let away = false;
  redis.on('error', (error: Error) => {
    if (!away) logger.warn(`Redis is away (${role}): ${error.message || error.name}`);
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.log(`Redis is back (${role}).`);
    away = false;
  });
  return redis;
}

function open(url: string): TransportRedis {
  const { kind, urls } = redisServers(url);
  if (kind === 'server') return new TransportRedis(url, OPTIONS);
  if (kind === 'sentinel') {
    const redis = new TransportRedis(sentinelOptions(url, OPTIONS));
    keepAlive(redis);
    return redis;
  }
  const { username, password, tls } = clusterOptions('queue', new URL(urls[0]!)).redisOptions!;
  const nodes = urls.map(addressOf);
  const redis = new TransportRedis({ ...OPTIONS, username, password, tls, Connector: anyServer(() => nodes) });
  keepAlive(redis);
  return redis;
}

/** Ends connections: orderly where that is quick, else at once. */
export async function closeRedis(connections: readonly (Redis | null | undefined)[]): Promise<void> {
  await Promise.all(
    connections.map(async (redis) => {
      if (!redis) return;
      if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect());
      else redis.disconnect();
    }),
  );
}
