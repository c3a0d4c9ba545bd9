/** What processes agree on about a tenant, over the Redis of REDIS_URL. Needs ConfigModule and RedisModule beside it. */
import { Global, Module } from '@nestjs/common';
import { RequestShare, TenantShare, TokenKeeper } from '#libs/tenancy';
import { RedisRequestShare } from './share/redis-request-share';
import { RedisTenantShare } from './share/redis-tenant-share';
import { ShareReader } from './share/share-reader';
import { RedisTokenKeeper } from './tokens/redis-token-keeper';

@Global()
@Module({
  providers: [
    RedisTokenKeeper,
    RedisTenantShare,
    RedisRequestShare,
    ShareReader,
    { provide: TokenKeeper, useExisting: RedisTokenKeeper },
    { provide: TenantShare, useExisting: RedisTenantShare },
    { provide: RequestShare, useExisting: RedisRequestShare },
  ],
  exports: [TokenKeeper, TenantShare, RedisTenantShare, RequestShare, RedisRequestShare, ShareReader],
})
export class CoordinationModule {}
