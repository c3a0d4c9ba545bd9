/** Shapes of a tenant's usage. */
import { closed, Fields, PageQuery, pageOf, shape, type ShapeType } from '#libs/kernel';
import type { UsagePoint } from '#libs/messaging';
import { GRANULARITIES } from '#libs/usage';
import { stringify } from 'csv-stringify/sync';
import Type from 'typebox';

export const USAGE_QUERY = shape(
  closed({
    from: Type.Optional(
      Fields.timestamp(
        'Periods that begin at or after it. Default: 30 days before `to`; of hours a day, of minutes an hour before it.',
      ),
    ),
    to: Type.Optional(Fields.timestamp('Periods that begin before it. Default: now.')),
    granularity: Type.Optional(
      Type.Enum([...GRANULARITIES], {
        description: 'A series instead of sums: of minutes (a day at most), hours (31 days) or days (400).',
      }),
    ),
    group_by: Type.Enum(['none', 'route'], {
      default: 'none',
      description: 'Of a series: each route and type of job by itself.',
    }),
    ...PageQuery,
    format: Type.Enum(['json', 'csv'], { default: 'json', description: 'Of a series: `csv` for all of it at once.' }),
  }),
  { text: true },
);

const PERIOD = { organization_id: Fields.id(), from: Fields.timestamp(), to: Fields.timestamp() };

const USAGE = Type.Object({
  ...PERIOD,
  metrics: Type.Array(
    Type.Object({
      metric: Type.String({ description: 'Such as `api_calls` or `rate_limit_exceeded_api`.' }),
      value: Type.Integer({ description: 'Sum over the period; of `bytes_stored` the newest value before its end.' }),
    }),
  ),
});

const count = (description: string) => Type.Integer({ minimum: 0, description });
const milliseconds = (description: string) => Type.Number({ minimum: 0, description });
const percentile = Fields.nullable(milliseconds('Within 5 %; null where nothing was timed.'));

const POINT = Type.Object({
  period_start: Fields.timestamp(
    'Start of the minute, hour or day (UTC). Those in which nothing happened are left out.',
  ),
  activity: Fields.nullable(
    Type.String({ description: '`GET /v1/orders/:id`, or `job bulk.import`; null for all together.' }),
  ),
  calls: count('Requests that were let in; runs of a job.'),
  errors: count('Answered with 500 or more; runs that failed.'),
  refusals: count('Refused by a limit.'),
  latency_milliseconds: Type.Object({
    ...{ sum: milliseconds('Of all times.'), p50: percentile, p95: percentile, p99: percentile },
  }),
  job_milliseconds: count('Time that jobs ran.'),
  queries: count('Statements; of all together alone, as the three behind it.'),
  database_milliseconds: milliseconds('Time of the database.'),
  rows_read: count('Rows that statements answered.'),
  rows_written: count('Rows that statements wrote.'),
  cache_bytes: count('Bytes that were stored in the cache; of all together alone.'),
  bytes_in: count('Bytes of the bodies of requests.'),
  bytes_out: count('Bytes of the bodies of answers.'),
  bytes_stored: Fields.nullable(count('Bytes of files, by the hour; of all together alone.')),
});

const SERIES_SCHEMA = Type.Object({
  ...PERIOD,
  granularity: Type.Enum([...GRANULARITIES]),
  group_by: Type.Enum(['none', 'route']),
  ...pageOf(POINT).properties,
});

export const SERIES = shape(SERIES_SCHEMA);
export const USAGE_OR_SERIES = shape(Type.Union([USAGE, SERIES_SCHEMA]));

export function seriesPointBody({ activity, ...point }: UsagePoint): ShapeType<typeof SERIES>['data'][number] {
  return { ...point, activity: activity === '' ? null : activity };
}

const COLUMNS = [
  ...['period_start', 'activity', 'calls', 'errors', 'refusals', 'job_milliseconds', 'queries'],
  ...['database_milliseconds', 'rows_read', 'rows_written', 'cache_bytes', 'bytes_in', 'bytes_out', 'bytes_stored'],
] as readonly Exclude<keyof UsagePoint, 'latency_milliseconds'>[];
const LATENCIES = ['sum', 'p50', 'p95', 'p99'] as const;

export function seriesCsv(points: readonly UsagePoint[], { head }: { readonly head: boolean }): string {
  const rows = points.map((point) => [
    ...COLUMNS.map((column) => point[column]),
    ...LATENCIES.map((name) => point.latency_milliseconds[name]),
  ]);
  const names = [...COLUMNS, ...LATENCIES.map((name) => `latency_milliseconds_${name}`)];
  return stringify(head ? [names, ...rows] : rows);
}
