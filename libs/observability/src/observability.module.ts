/** Logs, traces, the metrics registry, HTTP and pool metrics and `GET /metrics` of one process. */
import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import { TenantContextHolder } from '#libs/tenancy';
import { LoggerModule } from 'nestjs-pino';
import { HttpMetrics } from './http-metrics';
import { logParams } from './logging';
import { MetricsController } from './metrics.controller';
import { MetricsRegistry } from './metrics-registry';
import { PoolGauges } from './pool-gauges';
import { secretValues } from './secrets/secret-values';
import { TracingModule } from './tracing/tracing.module';

export interface ObservabilityModuleOptions {
  readonly config: AppConfig;
  /** Stands in every log line: `api`, `worker` or `metrics`. */
  readonly process: string;
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
      providers: [MetricsRegistry, HttpMetrics, PoolGauges],
      exports: [MetricsRegistry],
    };
  }
}
