/** Observability: logs and metrics of one process. Usage of tenants is metered by libs/usage. */
export { ObservabilityModule, type ObservabilityModuleOptions } from './observability.module';
export { type HistogramOptions, MetricsRegistry, type Observe, type ReadMetric, type Sample } from './metrics-registry';
export { guardOutput } from './process-output';
export { logParams, type LogOptions } from './logging';
export type { ProcessName } from './process-name';
export { RequestWindow } from './request-window';
export type { ProcessSignals } from './signals/process-signals';
export { SignalReader } from './signals/signal-reader';
