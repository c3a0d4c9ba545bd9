/** Tracing: which piece of work is under way, its ids for logs, and spans below it. What records spans stands in libs/observability. */
export { formatTraceparent, parseTraceparent, type TraceIds } from './traceparent';
export { currentWork, traceparentOf, Work, type WorkFacts } from './work';
export { errorType, failSpan } from './span-error';
export { NO_TRACING, Tracing, type TracingOptions, type WorkPlan } from './tracing';
