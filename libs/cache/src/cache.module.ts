/** Provides the tenant cache to the whole process, and listens to what others invalidate. */
import { Global, Module } from '@nestjs/common';
import { CacheListener } from './cache.listener';
import { CacheMetrics } from './cache-metrics';
import { CacheReports } from './cache-reports';
import { TenantCache } from './tenant-cache';

/** Needs RedisModule, MessagingModule, DatabaseModule and TenancyModule beside it. */
@Global()
@Module({
  controllers: [CacheListener],
  providers: [TenantCache, CacheReports, CacheMetrics],
  exports: [TenantCache, CacheReports],
})
export class CacheModule {}
