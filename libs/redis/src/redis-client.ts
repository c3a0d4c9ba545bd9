/** Connects to what a URL leads to: one server, or a Redis Cluster. */
import { redisServers } from '#libs/config';
import { Cluster, Redis } from 'ioredis';
import { clusterOptions, redisOptions } from './redis-options';

/** Commands are the same; those on several keys need one hash tag, and so do pipelines. */
export type RedisClient = Redis | Cluster;

export function connectRedis(url: string, purpose: 'queue' | 'fast'): RedisClient {
  const { kind, urls } = redisServers(url);
  if (kind === 'server') return new Redis(urls[0]!, redisOptions(purpose));
  const cluster = new Cluster([...urls], clusterOptions(purpose, new URL(urls[0]!)));
  // ioredis connects to a server with the first command for it; those that come meanwhile would fail.
  cluster.on('+node', (node: Redis) => void node.connect().catch(() => undefined));
  return cluster;
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
