/** `max_concurrent_requests` of each tenant, over Redis. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { COORDINATION_REDIS, type RedisClient } from '#libs/redis';
import type { RequestShare } from '#libs/tenancy';
import { LeasedShare } from './leased-share';
import { REQUEST_SHARE } from './share-names';

/** Who waits holds a connection and a parsed body. */
const WAITERS_PER_SLOT = 4;

@Injectable()
export class RedisRequestShare extends LeasedShare implements RequestShare {
  constructor(
    @Inject(COORDINATION_REDIS) redis: RedisClient,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'REDIS_KEY_PREFIX' | 'ADMISSION_WAIT_MS'>,
  ) {
    super(redis, {
      name: REQUEST_SHARE,
      prefix: config.REDIS_KEY_PREFIX,
      limitName: 'max_concurrent_requests',
      waitMs: config.ADMISSION_WAIT_MS,
      waitersPerSlot: WAITERS_PER_SLOT,
      refusesHopeless: true,
      mostHere: Infinity, // the gate of the process sees to that
    });
  }
}
