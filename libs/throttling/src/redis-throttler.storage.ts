/**
 * Counters in Redis: the storage of @nestjs/throttler, and `take`, which passes all policies of a request in one round trip, together
 * with the other requests of the same turn of the event loop. What Redis has said is used up is refused here until it returns.
 * While the server that keeps the counters is away (the client gives up after 50 ms), the local insurance counts.
 */
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { LIMITS_REDIS, type RedisClient, redisKey, serverOfKey } from '#libs/redis';
import { Breaker } from './breaker';
import { KnownExhausted } from './known-exhausted';
import { LocalInsurance } from './local-insurance';
import { type Check, POLICIES, type Verdict } from './policy';
import { Replicas } from './replicas';
import { TakeBatch } from './take-batch';
import { ThrottlingStatistics } from './throttling-statistics';

type StorageRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

@Injectable()
export class RedisThrottlerStorage implements ThrottlerStorage {
  readonly statistics = new ThrottlingStatistics();
  private readonly logger = new Logger('RateLimits');
  private readonly insurance = new LocalInsurance();
  private readonly exhausted: KnownExhausted;
  private readonly batch: TakeBatch;
  /** By server: of a cluster, the tenants of the others notice nothing. */
  private readonly breakers = new Map<string, Breaker>();

  constructor(
    @Inject(LIMITS_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX' | 'RATE_LIMIT_MEMORY_MS'>,
    @Inject(Replicas) private readonly replicas: Pick<Replicas, 'count'>,
  ) {
    this.exhausted = new KnownExhausted(config.RATE_LIMIT_MEMORY_MS);
    this.batch = new TakeBatch(redis);
  }

  /** Whether this process counts by itself at the moment, for some of the tenants at least. */
  get insured(): boolean {
    return [...this.breakers.values()].some(({ away }) => away);
  }

  /**
   * Charges every check, or none when one of them is at its limit. Their keys share a hash tag. Throws
   * `rate_limits_unavailable` while Redis is away, for policies that have no insurance.
   */
  async take(checks: readonly Check[]): Promise<Verdict> {
    const refusal = this.refuseKnown(checks);
    if (refusal) return refusal;
    const now = performance.now();
    const verdict = (await this.takeFromRedis(checks, now)) ?? this.insurance.take(checks, now, this.replicas.count);
    this.statistics.count(verdict);
    return verdict;
  }

  /** The refusal of a request of which a check is known to be used up; undefined where Redis has to be asked. */
  refuseKnown(checks: readonly Check[]): Verdict | undefined {
    const verdict = this.exhausted.refuse(checks, performance.now());
    if (verdict) this.statistics.count(verdict);
    return verdict;
  }

  /** The throttler's own interface: a fixed window. A request that is refused is not charged, so nobody is banned. */
  async increment(
    ...[key, ttl, limit, _blockDuration, name]: Parameters<ThrottlerStorage['increment']>
  ): Promise<StorageRecord> {
    const policy = { ...POLICIES.api, window: 'fixed', windowMs: ttl } as const;
    const check = { policy, limit, key: redisKey(this.config.REDIS_KEY_PREFIX, 'limits', null, name, key) };
    const { admitted, measures } = await this.take([check]);
    const seconds = Math.ceil(measures[0]!.resetMs / 1_000);
    return {
      totalHits: admitted ? measures[0]!.used : limit + 1,
      timeToExpire: seconds,
      isBlocked: !admitted,
      timeToBlockExpire: admitted ? 0 : seconds,
    };
  }

  private async takeFromRedis(checks: readonly Check[], now: number): Promise<Verdict | undefined> {
    const breaker = this.breakerOf(checks[0]!.key);
    if (!breaker.mayTry(now)) return undefined;
    try {
      const verdict = await this.batch.take(checks);
      if (breaker.succeeded()) this.logger.log('Rate limits are counted together again.');
      this.exhausted.note(verdict, now);
      return verdict;
    } catch (error) {
      if (breaker.failed(performance.now()))
        this.logger.warn({ err: error }, 'Redis is away: each process counts its part of the rate limits by itself.');
      return undefined;
    }
  }

  private breakerOf(key: string): Breaker {
    const server = serverOfKey(this.redis, key);
    let breaker = this.breakers.get(server);
    if (!breaker) this.breakers.set(server, (breaker = new Breaker()));
    return breaker;
  }
}
