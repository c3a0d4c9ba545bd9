/** What the dashboard shows: of the whole platform, of all tenants in a table, of one tenant, of one of its routes. Times are UTC. */
import { closed, Fields, PageQuery, pageOf, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

/** How far back a view looks, and the width of its points. */
export const RANGES = {
  '1h': { hours: 1, granularity: 'minute' },
  '6h': { hours: 6, granularity: 'minute' },
  '24h': { hours: 24, granularity: 'hour' },
  '7d': { hours: 168, granularity: 'hour' },
  '30d': { hours: 720, granularity: 'day' },
} as const;
export type RangeName = keyof typeof RANGES;
export const RANGE_NAMES = Object.keys(RANGES) as RangeName[];
export const SORTS = ['calls', 'errors', 'refusals', 'p95', 'busy', 'cost', 'name'] as const;

const RANGE = { range: Type.Enum([...RANGE_NAMES], { default: '1h', description: 'How far back to look.' }) };

export const RANGE_QUERY = shape(closed(RANGE), { text: true });
export const ACTIVITY_QUERY = shape(
  closed({
    ...RANGE,
    activity: Type.String({ minLength: 1, maxLength: 300, description: 'Such as `GET /v1/orders`.' }),
  }),
  { text: true },
);
export const TENANTS_QUERY = shape(
  closed({
    ...RANGE,
    search: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: 'Part of the name or slug, or the id of an organization.',
      }),
    ),
    sort: Type.Enum([...SORTS], {
      default: 'calls',
      description: 'Largest first; names in the order of the alphabet.',
    }),
    ...PageQuery,
  }),
  { text: true },
);

const count = (description: string) => Type.Integer({ minimum: 0, description });
const number = (description: string) => Type.Number({ description });
const percentile = Fields.nullable(number('Milliseconds, within 5 %; null where nothing was timed.'));

const PERIOD = Type.Object({
  range: Type.Enum([...RANGE_NAMES]),
  from: Fields.timestamp(),
  to: Fields.timestamp(),
  granularity: Type.Enum(['minute', 'hour', 'day']),
});

const AMOUNTS = {
  calls: count('Requests that were let in.'),
  errors: count('Answered with 500 or more.'),
  refusals: count('Refused by a limit.'),
  p50_ms: percentile,
  p95_ms: percentile,
  p99_ms: percentile,
  busy_ms: number('Time of requests and jobs.'),
  job_ms: number('Time that jobs ran.'),
  database_ms: Fields.nullable(
    number('Time of the database; null of one route or type of jobs, as it is counted for all together.'),
  ),
  queries: Fields.nullable(count('Statements; null as well.')),
  bytes_out: count('Bytes of the bodies of answers.'),
};
const TOTALS = Type.Object(AMOUNTS);
const POINT = Type.Object({ period_start: Fields.timestamp(), ...AMOUNTS });
/** Oldest first; periods in which nothing happened are left out. */
const SERIES = Type.Array(POINT);

const BUDGET = Type.Object({
  tier: Type.String(),
  objective: Type.Enum(['availability', 'latency']),
  target: number('Such as 0.9999.'),
  events: count('Requests of 30 days that it is about.'),
  bad: count('Those that missed it.'),
  remaining_ratio: Fields.nullable(
    number('Of the budget of 30 days: 1 all is left, 0 used up, below 0 missed. Null without events.'),
  ),
  burn_1h: Fields.nullable(number('How many times too fast the budget burned in the last hour; null without events.')),
  burn_6h: Fields.nullable(number('The same of six hours.')),
});

const ORGANIZATION = {
  organization_id: Fields.id(),
  name: Type.String(),
  slug: Type.String(),
  tier: Type.String(),
  state: Type.String(),
};
const COST = Fields.nullable(
  Type.Object(
    { currency: Fields.currency(), total_micros: Type.Integer({ minimum: 0 }) },
    { description: 'Of this month so far; null where costs are not configured, or not for this reader.' },
  ),
);

export const SESSION = shape(
  Type.Object({
    reader: Type.Enum(['operator', 'tenant']),
    organization_id: Fields.nullable(Fields.id()),
    name: Fields.nullable(Type.String()),
  }),
);

const QUEUE = Type.Object({
  job_class: Type.String(),
  waiting: count('Jobs.'),
  active: count('Jobs.'),
  delayed: count('Jobs.'),
  failed: count('Jobs.'),
  oldest_seconds: number('Age of the oldest that waits.'),
  workers: count('Processes.'),
  slots: count('Jobs that they can run at once.'),
  backlog_seconds: number('How long what waits will take.'),
});
const PROCESS = Type.Object({
  process: Type.String(),
  requests_per_second: Fields.nullable(Type.Number()),
  p95_ms: Fields.nullable(Type.Number()),
  cpu_ratio: Type.Number(),
  memory_ratio: Type.Number(),
});

export const PLATFORM = shape(
  Type.Object({
    taken_at: Fields.timestamp(),
    period: PERIOD,
    totals: TOTALS,
    series: SERIES,
    /** Null: who should know did not answer; `missing` says so in words. */
    organizations: Fields.nullable(Type.Record(Type.String(), Type.Integer(), { description: 'By state.' })),
    queues: Fields.nullable(Type.Array(QUEUE)),
    replicas: Type.Array(
      Type.Object({
        name: Type.String(),
        reachable: Type.Boolean(),
        lag_bytes: Fields.nullable(Type.Number()),
        lag_ms: Fields.nullable(Type.Number()),
      }),
    ),
    shards: Type.Array(
      Type.Object({
        name: Type.String(),
        reachable: Type.Boolean(),
        organizations: Fields.nullable(Type.Integer()),
        bytes: Fields.nullable(number('Of its database.')),
        connections: Fields.nullable(Type.Integer()),
        connections_max: Fields.nullable(Type.Integer()),
      }),
    ),
    processes: Fields.nullable(Type.Array(PROCESS)),
    triggers: Type.Array(
      Type.Object({
        trigger: Type.String(),
        process: Type.String(),
        unit: Type.String(),
        threshold: Type.Number(),
        value: Fields.nullable(Type.Number()),
        fires: Type.Boolean(),
        wanted: Fields.nullable(Type.Integer()),
      }),
    ),
    decisions: Type.Array(
      Type.Object({
        process: Type.String(),
        processes: Fields.nullable(Type.Integer()),
        wanted: Fields.nullable(Type.Integer()),
        action: Type.String({ description: '`add`, `remove`, `keep`, or `unknown`.' }),
      }),
    ),
    budgets: Type.Array(BUDGET, { description: 'By tier, and `all`.' }),
    deploys: Type.Array(
      Type.Object({
        version: Type.String(),
        process: Type.String(),
        first_seen_at: Fields.timestamp('When the first process of this release started.'),
        running: count('Processes of it now.'),
      }),
      { description: 'Newest first, of the last 90 days.' },
    ),
    missing: Type.Array(Type.String(), { description: 'What did not answer, in words for people.' }),
  }),
);
export type PlatformView = ShapeType<typeof PLATFORM>;

export const TENANTS = shape(
  Type.Object({
    period: PERIOD,
    matches: count('Organizations that the search found.'),
    ...pageOf(Type.Object({ ...ORGANIZATION, ...AMOUNTS, cost: COST })).properties,
    missing: Type.Array(Type.String(), { description: 'What did not answer, in words for people.' }),
  }),
);
export type TenantsView = ShapeType<typeof TENANTS>;

const LIMIT = Type.Object({
  name: Type.String({ description: 'Such as `max_products`, or `rate_api`.' }),
  kind: Type.Enum(['rate', 'concurrency', 'amount']),
  unit: Type.String({ description: '`requests`, `connections`, `bytes`, …' }),
  limit: Type.Number(),
  used: Fields.nullable(number('Null where it cannot be told at the moment.')),
  left: Fields.nullable(Type.Number()),
  window_seconds: Fields.nullable(number('Of a rate.')),
});

export const TENANT = shape(
  Type.Object({
    taken_at: Fields.timestamp(),
    organization: Type.Object({
      ...ORGANIZATION,
      shard: Fields.nullable(Type.String({ description: 'For operators.' })),
    }),
    period: PERIOD,
    totals: TOTALS,
    series: SERIES,
    routes: Type.Array(Type.Object({ activity: Type.String(), ...AMOUNTS }), {
      description: 'Routes and types of jobs, the one with most time first; 100 at most.',
    }),
    limits: Type.Array(LIMIT),
    budgets: Type.Array(BUDGET),
    jobs: Fields.nullable(
      Type.Object({
        waiting: count('Jobs.'),
        running: count('Jobs.'),
        dead_letters: count('Jobs that failed for good.'),
      }),
    ),
    bytes_stored: Fields.nullable(count('Bytes of files.')),
    cost: COST,
    missing: Type.Array(Type.String()),
  }),
);
export type TenantView = ShapeType<typeof TENANT>;

export const ACTIVITY = shape(
  Type.Object({
    organization: Type.Object(ORGANIZATION),
    activity: Type.String(),
    period: PERIOD,
    totals: TOTALS,
    series: SERIES,
  }),
);
export type ActivityView = ShapeType<typeof ACTIVITY>;
