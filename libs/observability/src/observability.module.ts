/** Logs, traces, the metrics registry, metrics of HTTP, lanes, pools and the process, and `GET /metrics` of one process. */
import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import { TenantContextHolder } from '#libs/tenancy';
import { LoggerModule } from 'nestjs-pino';
import { BuildInfo } from './build-info';
import { DeployRecord } from './deploy-record';
import { HttpMetrics } from './http-metrics';
import { LaneMetrics } from './lane-metrics';
import { logParams } from './logging';
import { MetricsController } from './metrics.controller';
import { MetricsRegistry } from './metrics-registry';
import { PoolGauges } from './pool-gauges';
import { PROCESS_NAME, type ProcessName } from './process-name';
import { secretValues } from './secrets/secret-values';
import { ProcessSignalsService } from './signals/process-signals.service';
import { SloMetrics } from './slo/slo-metrics';
import { TracingModule } from './tracing/tracing.module';

export interface ObservabilityModuleOptions {
  readonly config: AppConfig;
  /** Stands in every log line. */
  readonly process: ProcessName;
}

@Global()
@Module({})
export class ObservabilityModule {
  /** Needs TenancyModule beside it. */
  static forRoot({ config, process }: ObservabilityModuleOptions): DynamicModule {
    return {
      module: ObservabilityModule,
      imports: [
        LoggerModule.forRootAsync({
          inject: [TenantContextHolder],
          useFactory: (tenant: TenantContextHolder) =>
            logParams({ config, process, tenant, secrets: secretValues(config) }),
        }),
        TracingModule.forRoot(config, process),
      ],
      controllers: [MetricsController],
      providers: [
        { provide: PROCESS_NAME, useValue: process },
        ...[MetricsRegistry, BuildInfo, DeployRecord, HttpMetrics, LaneMetrics, PoolGauges, ProcessSignalsService],
        ...(process === 'api' ? [SloMetrics] : []),
      ],
      exports: [MetricsRegistry],
    };
  }
}
