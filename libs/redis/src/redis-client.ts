/** Connects to what a URL leads to: one server, the master that Sentinels name, or a Redis Cluster. */
import { redisServers } from '#libs/config';
import { Cluster, Redis } from 'ioredis';
import { listenerOf } from './any-server';
import { clusterOptions, redisOptions, type RedisPurpose } from './redis-options';
import { sentinelOptions } from './sentinel-options';

/** Commands are the same; those on several keys need one hash tag, and so do pipelines. */
export type RedisClient = Redis | Cluster;

/** How often a client of a cluster looks which server holds what, besides being told by a server that it asked in vain. */
const LOOK_MS = 1_000;

/** What each client of a cluster began from. */
const SEEDS = new WeakMap<RedisClient, readonly string[]>();

export function connectRedis(url: string, purpose: RedisPurpose): RedisClient {
  const { kind, urls } = redisServers(url);
  if (kind === 'server') return new Redis(urls[0]!, redisOptions(purpose));
  if (kind === 'sentinel') return new Redis(sentinelOptions(url, redisOptions(purpose)));
  const cluster = new Cluster([...urls], clusterOptions(purpose, new URL(urls[0]!)));
  SEEDS.set(cluster, urls);
  // ioredis connects to a server with the first command for it; those that come meanwhile would fail.
  cluster.on('+node', (node: Redis) => void node.connect().catch(() => undefined));
  // ioredis' own slotsRefreshInterval goes on for ever where a disconnect comes during a look, and keeps the process alive.
  const looking = setInterval(() => cluster.status === 'ready' && cluster.refreshSlotsCache(), LOOK_MS).unref();
  cluster.once('end', () => clearInterval(looking));
  return cluster;
}

/**
 * Another connection like a client's, to listen on; who made it ends it. In a cluster it leads to any server, and moves to another
 * one where that goes. It does not subscribe again by itself.
 */
export function redisListener(client: RedisClient): Redis {
  return listenerOf(client, SEEDS.get(client) ?? []);
}

/** Whether commands reach every server at the moment. */
export function isConnected(client: RedisClient): boolean {
  const masters = redisMasters(client);
  return client.status === 'ready' && masters.length > 0 && masters.every(({ status }) => status === 'ready');
}

/** The servers that hold keys, each to be asked by itself for what no key leads to, such as SCAN. */
export function redisMasters(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}
