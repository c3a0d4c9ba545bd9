/**
 * Counters in Redis: the storage of @nestjs/throttler, and `take`, which passes all policies of a request in one round
 * trip. States: there ⇄ away. Away begins with a failed command (the client gives up after 50 ms) and lets one request
 * try every quarter of a second; meanwhile the local insurance counts.
 */
import { join } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { LIMITS_REDIS, LuaScript, redisKey } from '#libs/redis';
import type { Redis } from 'ioredis';
import { LocalInsurance } from './local-insurance';
import { type Check, type Measure, POLICIES, type Verdict } from './policy';
import { ThrottlingStatistics } from './throttling-statistics';

const PROBE_EVERY_MS = 250;
const TAKE_SOURCE = join(__dirname, 'take.lua');

type Reply = readonly [admitted: 0 | 1, ...usedAndReset: number[]];
type StorageRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** A script is called with a fixed number of keys; requests pass two or three checks. */
const scripts = new Map<number, LuaScript<Reply>>();

function takeScript(checks: number): LuaScript<Reply> {
  let script = scripts.get(checks);
  if (!script) scripts.set(checks, (script = LuaScript.fromFile<Reply>(TAKE_SOURCE, checks)));
  return script;
}

@Injectable()
export class RedisThrottlerStorage implements ThrottlerStorage {
  readonly statistics = new ThrottlingStatistics();
  private readonly logger = new Logger('RateLimits');
  private readonly insurance = new LocalInsurance();
  private away = false;
  private nextTryAt = 0;

  constructor(
    @Inject(LIMITS_REDIS) private readonly redis: Redis,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {}

  /**
   * Charges every check, or none when one of them is at its limit. Their keys share a hash tag. Throws
   * `rate_limits_unavailable` while Redis is away, for policies that have no insurance.
   */
  async take(checks: readonly Check[]): Promise<Verdict> {
    const now = performance.now();
    const verdict = (await this.takeFromRedis(checks, now)) ?? this.insurance.take(checks, now);
    this.statistics.count(verdict);
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
    if (now < this.nextTryAt) return undefined;
    if (this.away) this.nextTryAt = now + PROBE_EVERY_MS; // the others do without while this one tries
    try {
      const verdict = await this.run(checks);
      if (this.away) this.logger.log('Rate limits are counted together again.');
      this.away = false;
      this.nextTryAt = 0;
      return verdict;
    } catch (error) {
      if (!this.away) this.logger.warn({ err: error }, 'Redis is away: each process counts rate limits by itself.');
      this.away = true;
      this.nextTryAt = performance.now() + PROBE_EVERY_MS;
      return undefined;
    }
  }

  private async run(checks: readonly Check[]): Promise<Verdict> {
    const limits = checks.flatMap(({ policy, limit }) => [policy.window, limit, policy.windowMs]);
    const keys = checks.map(({ key }) => key);
    const [admitted, ...numbers] = await takeScript(checks.length).run(this.redis, [...keys, ...limits]);
    const measures = checks.map((check, index): Measure => ({
      check,
      used: numbers[2 * index]!,
      resetMs: numbers[2 * index + 1]!,
    }));
    return { admitted: admitted === 1, measures };
  }
}
