/** Provides the tenant cache to the whole process, and listens to what others invalidate. */
import { Global, Module } from '@nestjs/common';
import { CacheListener } from './cache.listener';
import { CacheMetrics } from './cache-metrics';
import { TenantCache } from './tenant-cache';

/** Needs RedisModule, MessagingModule and TenancyModule beside it. */
@Global()
@Module({ controllers: [CacheListener], providers: [TenantCache, CacheMetrics], exports: [TenantCache] })
export class CacheModule {}
