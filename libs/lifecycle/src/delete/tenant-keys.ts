/**
 * A tenant's keys in Redis: everything whose name carries the hash tag of its id, on each server. Costs one SCAN over all keys
 * of a server (about a second for a million of them, in steps that hold nobody up): for the end of a tenant, nothing else.
 */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import { CACHE_REDIS, LIMITS_REDIS, QUEUE_REDIS, type RedisClient, redisMasters } from '#libs/redis';
import type { Redis } from 'ioredis';

const STEP = 500;

type Visitor = (redis: Redis, keys: string[]) => Promise<number>;

async function visitAll(redis: Redis, match: string, visitor: Visitor): Promise<number> {
  let visited = 0;
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', match, 'COUNT', STEP);
    if (keys.length > 0) visited += await visitor(redis, keys);
    cursor = next;
  } while (cursor !== '0');
  return visited;
}

@Injectable()
export class TenantKeys {
  private readonly servers: Readonly<Record<string, RedisClient>>;

  constructor(
    @Inject(QUEUE_REDIS) queue: RedisClient,
    @Inject(CACHE_REDIS) cache: RedisClient,
    @Inject(LIMITS_REDIS) limits: RedisClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {
    this.servers = { queue, cache, limits };
  }

  /** Deletes all of them; resolves with their number. Throws `redis_unavailable` (503) while a server is away. */
  deleteAll(tenant: string): Promise<number> {
    return this.visit(tenant, (redis, keys) => redis.unlink(...keys));
  }

  count(tenant: string): Promise<number> {
    return this.visit(tenant, (_, keys) => Promise.resolve(keys.length));
  }

  private async visit(tenant: string, visitor: Visitor): Promise<number> {
    const match = `${this.config.REDIS_KEY_PREFIX}:*{${tenant}}*`;
    let visited = 0;
    for (const [name, client] of Object.entries(this.servers)) {
      if (client.status !== 'ready') throw redisAway(name);
      try {
        for (const redis of redisMasters(client)) visited += await visitAll(redis, match, visitor);
      } catch (error) {
        throw redisAway(name, error);
      }
    }
    return visited;
  }
}

function redisAway(name: string, cause?: unknown): StockyardError {
  return new StockyardError({
    code: 'redis_unavailable',
    category: 'unavailable',
    message: `The Redis of ${name} does not answer at the moment; keys of the tenant cannot be deleted there yet.`,
    cause,
  });
}
