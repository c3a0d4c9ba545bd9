/** What an organization has used of its rate limits, without taking any of it: for those who show it. */
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { LIMITS_REDIS, LuaScript, type RedisClient } from '#libs/redis';
import type { Organization } from '#libs/tenancy';
import type { Policy } from './policy';
import { checksOf, type TenantPolicy } from './rate-limit-checks';
import { lifeMs } from './take-batch';

const USED = LuaScript.fromFile<number[]>(join(__dirname, 'used.lua'));

/** Those that count an organization; `auth` counts accounts and addresses. */
const POLICIES_OF_ALL: readonly TenantPolicy[] = ['api', 'api_calls_per_hour', 'export', 'bulk', 'link'];

export interface RateLimitUse {
  readonly policy: Policy;
  readonly limit: number;
  /** Null while Redis does not answer. */
  readonly used: number | null;
}

@Injectable()
export class RateLimitReader {
  constructor(
    @Inject(LIMITS_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {}

  /** Never rejects. */
  async used(organization: Pick<Organization, 'id' | 'limits'>): Promise<RateLimitUse[]> {
    const checks = checksOf(this.config.REDIS_KEY_PREFIX, organization, POLICIES_OF_ALL);
    const keys = checks.map(({ key }) => key);
    const args = checks.flatMap(({ policy }) => [policy.window, policy.windowMs, lifeMs(policy)]);
    const used = await USED.runOn(this.redis, keys, args).catch(() => undefined);
    return checks.map(({ policy, limit }, index) => ({ policy, limit, used: used?.[index] ?? null }));
  }
}
