/**
 * Rate limits over @nestjs/throttler, and admission. The app registers `RateLimitGuard` after authentication and before permissions,
 * and `AdmissionGuard` last: `{ provide: APP_GUARD, useExisting: RateLimitGuard }`.
 */
import { Global, Module } from '@nestjs/common';
import { ThrottlerModule, type ThrottlerModuleOptions } from '@nestjs/throttler';
import { TIER_LIMITS } from '#libs/tenancy';
import { AdmissionControl } from './admission/admission-control';
import { AdmissionGuard } from './admission/admission.guard';
import { EarlyRefusals } from './early-refusals';
import { POLICIES } from './policy';
import { RateLimitChecks } from './rate-limit-checks';
import { RateLimitGuard } from './rate-limit.guard';
import { RedisThrottlerStorage } from './redis-throttler.storage';
import { Replicas } from './replicas';
import { ThrottlingMetrics } from './throttling-metrics';

@Module({ providers: [RedisThrottlerStorage, Replicas], exports: [RedisThrottlerStorage, Replicas] })
class ThrottlerStorageModule {}

/** What a `@Throttle` without numbers would hold; the guard takes limits from the organization instead. */
function throttlerOptions(storage: RedisThrottlerStorage): ThrottlerModuleOptions {
  return { throttlers: [{ ttl: POLICIES.api.windowMs, limit: TIER_LIMITS.free.requestsPerMinute }], storage };
}

/** Needs RedisModule, DatabaseModule, TenancyModule and UsageModule beside it. */
@Global()
@Module({
  imports: [
    ThrottlerStorageModule,
    ThrottlerModule.forRootAsync({
      imports: [ThrottlerStorageModule],
      inject: [RedisThrottlerStorage],
      useFactory: throttlerOptions,
    }),
  ],
  providers: [RateLimitChecks, EarlyRefusals, RateLimitGuard, AdmissionControl, AdmissionGuard, ThrottlingMetrics],
  exports: [RateLimitGuard, AdmissionGuard, ThrottlerStorageModule],
})
export class ThrottlingModule {}
