/** One client a purpose and process, closed on shutdown. A server that is away at boot does not stop the boot. */
import {
  type DynamicModule,
  Global,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import { connectRedis, type RedisClient } from './redis-client';
import type { RedisPurpose } from './redis-options';
import { CACHE_REDIS, COORDINATION_REDIS, LIMITS_REDIS, QUEUE_REDIS } from './redis.constants';

function client(url: string, purpose: RedisPurpose): RedisClient {
  const logger = new Logger(`Redis:${purpose}`);
  const redis = connectRedis(url, purpose);
  let reported = false;
  redis.on('error', (error: Error) => {
    if (!reported) logger.warn(`Redis is away: ${error.message || String(error)}`);
    reported = true;
  });
  redis.on('ready', () => {
    if (reported) logger.log('Redis is back.');
    reported = false;
  });
  return redis;
}

@Injectable()
class RedisCloser implements OnApplicationShutdown {
  constructor(
    @Inject(QUEUE_REDIS) private readonly queue: RedisClient,
    @Inject(CACHE_REDIS) private readonly cache: RedisClient,
    @Inject(LIMITS_REDIS) private readonly limits: RedisClient,
    @Inject(COORDINATION_REDIS) private readonly coordination: RedisClient,
  ) {}

  onApplicationShutdown(): void {
    for (const redis of [this.queue, this.cache, this.limits, this.coordination]) redis.disconnect();
  }
}

@Global()
@Module({})
export class RedisModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: RedisModule,
      providers: [
        { provide: QUEUE_REDIS, useFactory: () => client(config.REDIS_URL, 'queue') },
        { provide: CACHE_REDIS, useFactory: () => client(config.redisCacheUrl, 'fast') },
        { provide: LIMITS_REDIS, useFactory: () => client(config.redisLimitsUrl, 'fast') },
        { provide: COORDINATION_REDIS, useFactory: () => client(config.REDIS_URL, 'fast') },
        RedisCloser,
      ],
      exports: [QUEUE_REDIS, CACHE_REDIS, LIMITS_REDIS, COORDINATION_REDIS],
    };
  }
}
