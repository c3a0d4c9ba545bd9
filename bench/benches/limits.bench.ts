/**
 * Rate limits on one Redis, through one connection of the same options each, 50 requests in flight, no limit ever reached,
 * 20,000 tenants. An operation is one request.
 *
 * All contestants are asked in the same way, 50 at a time; that ours sends what is asked in one turn of the event loop together, up
 * to 32 requests in a call, is what is measured.
 *
 * - three_policies: three windows (a minute, an hour, 15 minutes) in one script call, against three calls of
 *   @nest-lab/throttler-storage-redis 1.2.0, one after another as @nestjs/throttler makes them, with the same limits and
 *   lengths; fixed windows, the only kind that it has
 * - three_of_a_request: what a tenant's request passes here, api (sliding), api_calls_per_hour (aligned) and export (bucket), in
 *   one call, against the same three calls, which promise less
 * - one_policy: a fixed window, against RateLimiterRedis of rate-limiter-flexible 11.4.0 with its own script, the mode that
 *   counts the same
 * - one_sliding: our sliding window against that same fixed one, which promises half as much: twice the limit across its edge
 */
import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import { newId } from '#libs/kernel';
import { startLocalRedis } from '#libs/local-stack';
import { redisKey, redisOptions } from '#libs/redis';
import { type Check, POLICIES, type Policy, RedisThrottlerStorage } from '#libs/throttling';
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Bench, Comparison, Contestant } from '../harness/bench';
import { inFlight } from '../harness/parallel';

const WIDTH = 50;
/** So many that a bucket of which the limit is never reached holds some tens of tokens, as those of tenants do. */
const TENANTS = 20_000;
const NEVER_REACHED = 1_000_000_000;
const PREFIX = 'bench';

interface Side {
  close(): void;
}

/** Connects as the product does, with time enough for a machine that measures. */
function connect(url: string): Redis {
  return new Redis(url, { ...redisOptions('fast'), enableOfflineQueue: true, commandTimeout: 30_000 });
}

const tenantOf = (tenants: readonly string[]): (() => string) => {
  let next = 0;
  return () => tenants[(next += 1) % TENANTS]!;
};

/** Our storage. Fails where a request was refused or counted by anything but Redis. */
class Ours implements Side {
  private readonly redis: Redis;
  private readonly storage: RedisThrottlerStorage;

  constructor(url: string) {
    this.redis = connect(url);
    const config = { REDIS_KEY_PREFIX: PREFIX, RATE_LIMIT_MEMORY_MS: 900_000 };
    this.storage = new RedisThrottlerStorage(this.redis, config, { count: 1 });
  }

  contestant(name: string, tenants: readonly string[], policies: readonly Policy[]): Contestant {
    const tenant = tenantOf(tenants);
    return {
      name,
      run: (operations) =>
        inFlight(WIDTH, operations, async () => {
          const organization = tenant();
          const checks = policies.map((policy): Check => ({
            policy,
            limit: NEVER_REACHED,
            key: redisKey(PREFIX, name, organization, policy.name),
          }));
          const { admitted, by } = await this.storage.take(checks);
          if (!admitted || by !== 'redis')
            throw new Error(`A request was ${admitted ? 'counted' : 'refused'} by ${by}.`);
        }),
    };
  }

  close(): void {
    this.redis.disconnect();
  }
}

/** @nest-lab/throttler-storage-redis: the calls one after another, as the guard of @nestjs/throttler awaits them. */
class ThrottlerStorage implements Side {
  private readonly redis: Redis;
  private readonly storage: ThrottlerStorageRedisService;

  constructor(url: string) {
    this.redis = connect(url);
    this.storage = new ThrottlerStorageRedisService(this.redis);
  }

  contestant(tenants: readonly string[], policies: readonly Policy[]): Contestant {
    const tenant = tenantOf(tenants);
    return {
      name: 'throttler_storage_redis',
      run: (operations) =>
        inFlight(WIDTH, operations, async () => {
          const organization = tenant();
          for (const { name, windowMs } of policies) {
            const { isBlocked } = await this.storage.increment(organization, windowMs, NEVER_REACHED, windowMs, name);
            if (isBlocked) throw new Error('A request was refused.');
          }
        }),
    };
  }

  close(): void {
    this.redis.disconnect();
  }
}

class Flexible implements Side {
  private readonly redis: Redis;
  private readonly limiter: RateLimiterRedis;

  constructor(url: string, { windowMs }: Policy) {
    this.redis = connect(url);
    const duration = windowMs / 1_000;
    this.limiter = new RateLimiterRedis({
      storeClient: this.redis,
      keyPrefix: PREFIX,
      points: NEVER_REACHED,
      duration,
    });
  }

  contestant(tenants: readonly string[]): Contestant {
    const tenant = tenantOf(tenants);
    return {
      name: 'rate_limiter_flexible',
      run: (operations) => inFlight(WIDTH, operations, () => this.limiter.consume(tenant())),
    };
  }

  close(): void {
    this.redis.disconnect();
  }
}

export const LIMITS_BENCH: Bench = {
  name: 'limits',
  about:
    'three rate limits in one call against three of @nest-lab/throttler-storage-redis, one against rate-limiter-flexible.',
  async *compare(): AsyncGenerator<Comparison> {
    await using opened = new AsyncDisposableStack();
    const redis = await startLocalRedis();
    opened.defer(() => redis.remove());
    const open = <T extends Side>(side: T): T => opened.adopt(side, (one) => one.close());
    const tenants = Array.from({ length: TENANTS }, newId);

    const ours = open(new Ours(redis.url));
    const three = [POLICIES.api, POLICIES.api_calls_per_hour, POLICIES.auth];
    const calls = open(new ThrottlerStorage(redis.url)).contestant(tenants, three);
    const fixed = three.map((policy) => ({ ...policy, window: 'fixed' as const }));
    yield { name: 'three_policies', subject: ours.contestant('one_call', tenants, fixed), reference: calls };
    const request = [POLICIES.api, POLICIES.api_calls_per_hour, POLICIES.export];
    yield { name: 'three_of_a_request', subject: ours.contestant('request', tenants, request), reference: calls };
    const flexible = open(new Flexible(redis.url, POLICIES.auth)).contestant(tenants);
    yield { name: 'one_policy', subject: ours.contestant('fixed', tenants, [POLICIES.auth]), reference: flexible };
    yield { name: 'one_sliding', subject: ours.contestant('sliding', tenants, [POLICIES.api]), reference: flexible };
  },
};
