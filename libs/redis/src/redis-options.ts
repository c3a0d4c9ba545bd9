/** Connection options by purpose: what happens while a server is away. */
import type { ClusterOptions, RedisOptions } from 'ioredis';

const RECONNECT_CAP_MS = 1_000;
const COMMAND_TIMEOUT_MS = 50;
/** ioredis keeps the process alive for this long after a disconnect from a server that is away. */
const DISCONNECT_TIMEOUT_MS = 100;

const reconnect = (attempt: number): number => Math.min(attempt * 50, RECONNECT_CAP_MS);

/**
 * - `queue`: waits for the server (BullMQ needs maxRetriesPerRequest null)
 * - `fast`: cache and limits: no offline queue, an answer within 50 ms or an error, so that a request never hangs
 */
export function redisOptions(purpose: 'queue' | 'fast'): RedisOptions {
  const shared = { retryStrategy: reconnect, disconnectTimeout: DISCONNECT_TIMEOUT_MS };
  if (purpose === 'queue') return { ...shared, maxRetriesPerRequest: null };
  return {
    ...shared,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 1_000,
    autoResendUnfulfilledCommands: false,
  };
}

/** How often a client of a cluster looks which server holds what, besides being told by a server that it asked in vain. */
const SLOTS_REFRESH_MS = 1_000;

/** The same for every server of a cluster. `fast` does not try again by itself: who asked gets the error at once. */
export function clusterOptions(purpose: 'queue' | 'fast', url: URL): ClusterOptions {
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
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    ...(purpose === 'fast' && { retryDelayOnFailover: 0, retryDelayOnClusterDown: 0 }),
    // Certificates name hosts, not the addresses that they resolve to.
    ...(url.protocol === 'rediss:' && { dnsLookup: (host, done) => done(null, host) }),
  };
}
