/** What processes agree on about a tenant, over the Redis of REDIS_URL. Needs ConfigModule and RedisModule beside it. */
import { Global, Module } from '@nestjs/common';
import { TenantShare, TokenKeeper } from '#libs/tenancy';
import { RedisTenantShare } from './share/redis-tenant-share';
import { RedisTokenKeeper } from './tokens/redis-token-keeper';

@Global()
@Module({
  providers: [
    RedisTokenKeeper,
    RedisTenantShare,
    { provide: TokenKeeper, useExisting: RedisTokenKeeper },
    { provide: TenantShare, useExisting: RedisTenantShare },
  ],
  exports: [TokenKeeper, TenantShare, RedisTenantShare],
})
export class CoordinationModule {}
