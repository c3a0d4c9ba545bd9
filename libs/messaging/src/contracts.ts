/**
 * What may travel over the Redis transport, with the shape each payload is held to. Objects are open on purpose:
 * during a rolling deploy a newer process may add a field that an older one does not know.
 */
import { Fields, type Shape, shape } from '#libs/kernel';
import Type from 'typebox';
import type { EventName, EventPayloads } from './platform-events';
import type { QuestionName, Questions } from './platform-questions';

const ORGANIZATION = { organization_id: Fields.id() };
const MAX_NAME = 100;
const MAX_KEY = 512;
const MAX_POINTS = 500;
/** No fields are promised. */
const EMPTY = Type.Unsafe<Readonly<Record<string, never>>>(Type.Object({}));
const COUNT = Type.Integer({ minimum: 0 });
const AMOUNT = Type.Number({ minimum: 0 });

export const EVENT_SHAPES: { readonly [N in EventName]: Shape<EventPayloads[N]> } = {
  'organization.changed': shape(Type.Object(ORGANIZATION)),
  'cache.invalidated': shape(
    Type.Object({
      ...ORGANIZATION,
      namespace: Type.String({ maxLength: MAX_NAME }),
      key: Type.String({ maxLength: MAX_KEY }),
    }),
  ),
  'outbox.ready': shape(EMPTY),
  'operation.ready': shape(EMPTY),
  'job.progress': shape(
    Type.Object({
      ...ORGANIZATION,
      job_id: Fields.id(),
      state: Type.String({ maxLength: MAX_NAME }),
      processed: COUNT,
      failed: COUNT,
      total: Fields.nullable(COUNT),
    }),
  ),
};

export const QUESTION_SHAPES: { readonly [N in QuestionName]: Shape<Questions[N]['asks']> } = {
  'usage.summary': shape(Type.Object({ ...ORGANIZATION, from: Fields.timestamp(), to: Fields.timestamp() })),
  'usage.series': shape(
    Type.Object({
      ...ORGANIZATION,
      ...{ from: Fields.timestamp(), to: Fields.timestamp(), by_route: Type.Boolean() },
      granularity: Type.Enum(['minute', 'hour', 'day']),
      after: Fields.nullable(
        Type.Object({ period_start: Fields.timestamp(), activity: Type.String({ maxLength: MAX_KEY }) }),
      ),
      limit: Type.Integer({ minimum: 1, maximum: MAX_POINTS }),
    }),
  ),
  'cluster.snapshot': shape(EMPTY),
};

const NULLABLE_COUNT = Fields.nullable(COUNT);

export const ANSWER_SHAPES: { readonly [N in QuestionName]: Shape<Questions[N]['answers']> } = {
  'usage.summary': shape(
    Type.Object({
      ...ORGANIZATION,
      from: Fields.timestamp(),
      to: Fields.timestamp(),
      metrics: Type.Array(Type.Object({ metric: Type.String(), value: COUNT })),
    }),
  ),
  'usage.series': shape(
    Type.Object({
      points: Type.Array(
        Type.Object({
          ...{ period_start: Fields.timestamp(), activity: Type.String() },
          ...{ calls: COUNT, errors: COUNT, refusals: COUNT, job_milliseconds: COUNT, queries: COUNT },
          ...{ rows_read: COUNT, rows_written: COUNT, bytes_in: COUNT, bytes_out: COUNT, cache_bytes: COUNT },
          ...{ database_milliseconds: AMOUNT, bytes_stored: Fields.nullable(COUNT) },
          latency_milliseconds: Type.Object({
            ...{
              sum: AMOUNT,
              p50: Fields.nullable(AMOUNT),
              p95: Fields.nullable(AMOUNT),
              p99: Fields.nullable(AMOUNT),
            },
          }),
        }),
      ),
    }),
  ),
  'cluster.snapshot': shape(
    Type.Object({
      taken_at: Fields.timestamp(),
      organizations: Fields.nullable(Type.Record(Type.String(), COUNT)),
      queues: Fields.nullable(
        Type.Array(
          Type.Object({
            ...{ job_class: Type.String(), waiting: COUNT, active: COUNT, delayed: COUNT, failed: COUNT },
            ...{ workers: COUNT, slots: COUNT, oldest_seconds: AMOUNT, backlog_seconds: AMOUNT },
            service_ms: Fields.nullable(AMOUNT),
          }),
        ),
      ),
      replicas: Type.Array(
        Type.Object({
          name: Type.String(),
          reachable: Type.Boolean(),
          lag_bytes: NULLABLE_COUNT,
          lag_ms: NULLABLE_COUNT,
        }),
      ),
    }),
  ),
};
