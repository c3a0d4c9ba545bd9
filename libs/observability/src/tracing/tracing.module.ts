/** Provides the tracing of the process: off, unless an endpoint is configured. Sends what is left when the process ends. */
import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { AppConfig } from '#libs/config';
import { NO_TRACING, Tracing } from '#libs/tracing';
import { HttpTracing } from './http-tracing';
import type { OpenTracing, openTracing as OpensTracing } from './open-tracing';
import { OPEN_TRACING } from './tracing.constants';
import { TraceCounter } from './trace-counter';

/** The SDK takes a third of a second and some 20 MB: it is loaded only where it is used. */
function open(config: AppConfig, process: string): OpenTracing | null {
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT === '') return null;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- at this moment and not before
  const { openTracing } = require('./open-tracing') as { openTracing: typeof OpensTracing };
  return openTracing(config, process);
}

@Global()
@Module({})
export class TracingModule implements OnApplicationShutdown {
  constructor(@Inject(OPEN_TRACING) private readonly opened: OpenTracing | null) {}

  /** Needs the MetricsRegistry of ObservabilityModule. */
  static forRoot(config: AppConfig, process: string): DynamicModule {
    return {
      module: TracingModule,
      providers: [
        { provide: OPEN_TRACING, useFactory: () => open(config, process) },
        {
          provide: Tracing,
          useFactory: (opened: OpenTracing | null) => opened?.tracing ?? NO_TRACING,
          inject: [OPEN_TRACING],
        },
        HttpTracing,
        TraceCounter,
      ],
      exports: [Tracing],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.opened?.close();
  }
}
