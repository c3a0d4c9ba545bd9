/** How much a tenant has in the cache, for those who show it and have no cache of their own. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { CACHE_REDIS, type RedisClient } from '#libs/redis';
import { indexKeys } from './cache-keys';

@Injectable()
export class CacheSizes {
  constructor(
    @Inject(CACHE_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {}

  /** Bytes in Redis; null while it does not answer. */
  async bytes(organizationId: string): Promise<number | null> {
    const { sizes } = indexKeys(this.config.REDIS_KEY_PREFIX, organizationId);
    return this.redis.hget(sizes, 'total').then(
      (total) => Number(total ?? 0),
      () => null,
    );
  }
}
