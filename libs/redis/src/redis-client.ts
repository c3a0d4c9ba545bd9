/** Connects to what a URL leads to: one server, or a Redis Cluster. */
import { redisServers } from '#libs/config';
import { Cluster, Redis } from 'ioredis';
import { clusterOptions, redisOptions } from './redis-options';

/** Commands are the same; those on several keys need one hash tag, and so do pipelines. */
export type RedisClient = Redis | Cluster;

export function connectRedis(url: string, purpose: 'queue' | 'fast'): RedisClient {
  const { kind, urls } = redisServers(url);
  if (kind === 'server') return new Redis(urls[0]!, redisOptions(purpose));
  return new Cluster([...urls], clusterOptions(purpose, new URL(urls[0]!)));
}

/** The servers that hold keys, each to be asked by itself for what no key leads to, such as SCAN. */
export function redisMasters(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}
