/** Connection options by purpose: what happens while a server is away. */
import type { ClusterOptions, RedisOptions } from 'ioredis';

const RECONNECT_CAP_MS = 1_000;
const COMMAND_TIMEOUT_MS = 50;
const ADD_TIMEOUT_MS = 5_000;
/** ioredis keeps the process alive for this long after a disconnect from a server that is away. */
const DISCONNECT_TIMEOUT_MS = 100;

const reconnect = (attempt: number): number => Math.min(attempt * 50, RECONNECT_CAP_MS);

export type RedisPurpose = 'queue' | 'producer' | 'fast';

/**
 * - `queue`: waits for the server (BullMQ needs maxRetriesPerRequest null)
 * - `producer`: adds to the queues: fails at once while the server is away, as what could not be added stays in the outbox
 * - `fast`: cache and limits: no offline queue, an answer within 50 ms or an error, so that a request never hangs
 */
export function redisOptions(purpose: RedisPurpose): RedisOptions {
  const shared = { retryStrategy: reconnect, disconnectTimeout: DISCONNECT_TIMEOUT_MS };
  if (purpose === 'queue') return { ...shared, maxRetriesPerRequest: null };
  const atOnce = { enableOfflineQueue: false, maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false };
  if (purpose === 'producer') return { ...shared, ...atOnce, commandTimeout: ADD_TIMEOUT_MS };
  return { ...shared, ...atOnce, commandTimeout: COMMAND_TIMEOUT_MS, connectTimeout: 1_000 };
}

/** The same for every server of a cluster. Only `queue` tries again by itself: who else asked gets the error at once. */
export function clusterOptions(purpose: RedisPurpose, url: URL): ClusterOptions {
  const credentials = {
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
  const { enableOfflineQueue = true, ...server } = redisOptions(purpose);
  return {
    redisOptions: { ...server, ...credentials },
    enableOfflineQueue,
    clusterRetryStrategy: reconnect,
    ...(purpose !== 'queue' && { retryDelayOnFailover: 0, retryDelayOnClusterDown: 0 }),
    // Certificates name hosts, not the addresses that they resolve to.
    ...(url.protocol === 'rediss:' && { dnsLookup: (host, done) => done(null, host) }),
  };
}
