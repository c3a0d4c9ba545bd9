/** Provides the meter to the whole process, and counts API calls and their answers where there are some. */
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Clock, SystemClock } from '#libs/kernel';
import { ApiCallInterceptor } from './api-call.interceptor';
import { CallRecorder } from './call-recorder';
import { ActivityDetailRepository } from './activity/activity-detail.repository';
import { ActivityRepository } from './activity/activity.repository';
import { CostRepository } from './costs/cost.repository';
import { CostService } from './costs/cost.service';
import { ActivityTotalsRepository } from './totals/activity-totals.repository';
import { PlatformActivityService } from './totals/platform-activity.service';
import { UsageMeter } from './usage-meter';
import { UsageReader } from './usage-reader';
import { UsageRepository } from './usage.repository';

export interface UsageModuleOptions {
  /** Whether requests of tenants count as `api_calls`, and their answers as `bytes_out`, in this process. Default false. */
  readonly countApiCalls?: boolean;
}

@Global()
@Module({})
export class UsageModule {
  /** Import it after DatabaseModule, which then closes its pools after the last flush. */
  static forRoot({ countApiCalls = false }: UsageModuleOptions = {}): DynamicModule {
    return {
      module: UsageModule,
      providers: [
        ActivityDetailRepository,
        ActivityRepository,
        ActivityTotalsRepository,
        CostRepository,
        CostService,
        PlatformActivityService,
        UsageMeter,
        UsageReader,
        UsageRepository,
        { provide: Clock, useClass: SystemClock },
        ...(countApiCalls ? [CallRecorder, { provide: APP_INTERCEPTOR, useClass: ApiCallInterceptor }] : []),
      ],
      exports: [
        ActivityDetailRepository,
        ActivityTotalsRepository,
        CostService,
        PlatformActivityService,
        UsageMeter,
        UsageReader,
        UsageRepository,
      ],
    };
  }
}
