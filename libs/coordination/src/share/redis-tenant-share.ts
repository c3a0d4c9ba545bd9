/** `max_connections` of each tenant, over Redis. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { COORDINATION_REDIS } from '#libs/redis';
import type { TenantShare } from '#libs/tenancy';
import type { Redis } from 'ioredis';
import { LeasedShare } from './leased-share';

@Injectable()
export class RedisTenantShare extends LeasedShare implements TenantShare {
  constructor(
    @Inject(COORDINATION_REDIS) redis: Redis,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'REDIS_KEY_PREFIX' | 'DATABASE_TENANT_WAIT_MS'>,
  ) {
    super(redis, {
      name: 'share',
      prefix: config.REDIS_KEY_PREFIX,
      limitName: 'max_connections',
      waitMs: config.DATABASE_TENANT_WAIT_MS,
      waitersPerSlot: Infinity, // those of requests are bounded before they get here
    });
  }
}
