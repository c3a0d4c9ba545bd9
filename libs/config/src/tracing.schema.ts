/** What is traced, and where it is sent: docs/tracing-and-logs.md. */
import Type from 'typebox';
import { count, optionalUrl } from './setting';

export const TRACING_SETTINGS = {
  OTEL_EXPORTER_OTLP_ENDPOINT: optionalUrl(
    'Collector that takes traces by OTLP over HTTP, such as `http://127.0.0.1:4318`. Empty: nothing is traced.',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: Type.String({
    default: '',
    description: 'Headers for it, as `name=value` separated by commas, values percent-encoded. A secret.',
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: count(10_000, 60_000, 'Longest try in milliseconds to hand over a batch of spans.'),
  OTEL_TRACES_SAMPLER_ARG: Type.String({
    pattern: '^(0(\\.\\d+)?|1(\\.0+)?)$',
    default: '1',
    description: 'Share of the traces that is recorded, 0 to 1.',
  }),
  OTEL_BSP_MAX_QUEUE_SIZE: count(2_048, 65_536, 'Spans that wait for the collector in a process; more are dropped.'),
  OTEL_BSP_SCHEDULE_DELAY: count(
    5_000,
    60_000,
    'Longest time in milliseconds that a span waits for its batch to fill.',
  ),
  TRACING_TRUST_CALLERS: Type.Enum(['on', 'off'], {
    default: 'off',
    description:
      '`on`: the `sampled` flag of a caller’s `traceparent` decides what is recorded, not the share. Behind a gateway that sets it.',
  }),
  TRACING_OUTBOUND_HOSTS: Type.String({
    default: '',
    description: 'Hosts outside that are sent a `traceparent`, separated by commas. No other host sees one.',
  }),
};
