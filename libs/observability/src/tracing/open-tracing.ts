/**
 * Tracing of one process, with the OpenTelemetry SDK and OTLP over HTTP (JSON). Only loaded where an endpoint is configured. Nothing
 * is registered globally: two applications in one process do not share it.
 */
import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import type { AppConfig } from '#libs/config';
import { Tracing } from '#libs/tracing';
import { SpanQueue } from './span-queue';
import { traceSampler } from './trace-sampler';

const BATCH = 512;
const SHUTDOWN_SHARE_OF_GRACE = 0.2;
const LONGEST_ATTRIBUTE = 1_024;

export interface OpenTracing {
  readonly tracing: Tracing;
  readonly queue: SpanQueue;
  /** Sends what is left, within a fifth of the grace. */
  close(): Promise<void>;
}

export function openTracing(config: AppConfig, process: string): OpenTracing {
  const logger = new Logger('Tracing');
  let away = false;
  const queue = new SpanQueue({
    exporter: new OTLPTraceExporter({
      url: `${config.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, '')}/v1/traces`,
      headers: { ...config.otlpHeaders },
      timeoutMillis: config.OTEL_EXPORTER_OTLP_TIMEOUT,
    }),
    capacity: config.OTEL_BSP_MAX_QUEUE_SIZE,
    batch: Math.min(BATCH, config.OTEL_BSP_MAX_QUEUE_SIZE),
    delayMs: config.OTEL_BSP_SCHEDULE_DELAY,
    shutdownMs: config.SHUTDOWN_GRACE_MS * SHUTDOWN_SHARE_OF_GRACE,
    onBatch: (error) => {
      if (error && !away)
        logger.warn({ err: error }, 'The collector does not take traces; they are lost until it does.');
      if (!error && away) logger.log('The collector takes traces again.');
      away = error !== undefined;
    },
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': `stockyard-${process}`,
      'service.version': config.version,
      'service.instance.id': randomUUID(),
    }),
    sampler: traceSampler(Number(config.OTEL_TRACES_SAMPLER_ARG)),
    spanLimits: { attributeValueLengthLimit: LONGEST_ATTRIBUTE },
    spanProcessors: [queue],
  });
  const tracing = new Tracing({
    tracer: provider.getTracer('stockyard', config.version),
    ratio: Number(config.OTEL_TRACES_SAMPLER_ARG),
    trustsCallers: config.TRACING_TRUST_CALLERS === 'on',
  });
  return { tracing, queue, close: () => provider.shutdown() };
}
