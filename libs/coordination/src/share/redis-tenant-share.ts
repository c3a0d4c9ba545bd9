/** `max_connections` of each tenant, over Redis. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { COORDINATION_REDIS, type RedisClient } from '#libs/redis';
import type { TenantShare } from '#libs/tenancy';
import { LeasedShare } from './leased-share';
import { CONNECTION_SHARE } from './share-names';

/** Of a pool's connections, for one tenant: the others never find all of them taken by it. */
const PART_OF_POOL = 0.75;

@Injectable()
export class RedisTenantShare extends LeasedShare implements TenantShare {
  constructor(
    @Inject(COORDINATION_REDIS) redis: RedisClient,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'REDIS_KEY_PREFIX' | 'DATABASE_TENANT_WAIT_MS' | 'DATABASE_POOL_SIZE'>,
  ) {
    super(redis, {
      name: CONNECTION_SHARE,
      prefix: config.REDIS_KEY_PREFIX,
      limitName: 'max_connections',
      waitMs: config.DATABASE_TENANT_WAIT_MS,
      refusesHopeless: false, // jobs wait here too
      waitersPerSlot: Infinity, // those of requests are bounded before they get here
      mostHere: Math.max(1, Math.floor(config.DATABASE_POOL_SIZE * PART_OF_POOL)),
    });
  }
}
