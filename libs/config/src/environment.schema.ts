/**
 * Every variable the processes read, with type, default and meaning. The README's table is generated from
 * the descriptions here, and nothing else in the code looks at the environment.
 */
import Type, { type Static } from 'typebox';
import { EDGE_SETTINGS } from './edge.schema';
import { REGION_SETTINGS } from './regions.schema';
import { count, optionalUrl, port, secret } from './setting';
import { STORAGE_SETTINGS } from './storage.schema';
import { TRACING_SETTINGS } from './tracing.schema';

/** Defaults of secrets begin with this; production refuses to start with one of them. */
export const DEVELOPMENT_SECRET = 'development-only-';

const devSecret = (name: string, description: string) => secret(`${DEVELOPMENT_SECRET}${name}`, description);

export const ENVIRONMENT_SCHEMA = Type.Object({
  NODE_ENV: Type.Enum(['development', 'test', 'production'], {
    default: 'development',
    description: '`production` refuses default secrets.',
  }),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'], {
    default: 'info',
    description: 'Least level that is logged.',
  }),
  ...TRACING_SETTINGS,
  HOST: Type.String({ default: '127.0.0.1', description: 'Address the processes listen on.' }),
  API_PUBLIC_URL: optionalUrl(
    'Address at which clients reach the api, in links. Empty: the one under which the request for the link came.',
  ),
  API_PORT: port(3000, 'Port of the api process.'),
  WORKER_PORT: port(3001, 'Port of the worker process (probes and metrics).'),
  METRICS_PORT: port(3002, 'Port of the metrics process.'),
  TRUSTED_PROXIES: Type.String({
    default: '',
    description: 'Addresses or CIDR blocks, separated by commas, whose `X-Forwarded-For` is believed (load balancers).',
  }),
  ...REGION_SETTINGS,
  DATABASE_URL: Type.String({
    pattern: '^postgres(ql)?://',
    default: 'postgres://127.0.0.1:5432/stockyard',
    description:
      'Home shard, which keeps the directory. Several hosts (`host1:5432,host2:5432`): whichever takes writes is the primary. The processes take hosts and database from it; `migrate` also its user, who may create roles.',
  }),
  DATABASE_REPLICA_URLS: Type.String({
    default: '',
    description: 'Streaming replicas of the home shard that serve reads only, separated by commas.',
  }),
  DATABASE_SHARDS: Type.String({
    default: '',
    description:
      'Further shards as JSON: `{"two":{"url":"postgres://…","replica_urls":["postgres://…"]}}`; `region` says where one is that is not in REGION.',
  }),
  DATABASE_OWNER_PASSWORD: devSecret('owner', 'Password of `stockyard_owner` (used by `migrate` only).'),
  DATABASE_APP_PASSWORD: devSecret('app', 'Password of `stockyard_app`.'),
  DATABASE_RELAY_PASSWORD: devSecret('relay', 'Password of `stockyard_relay`.'),
  DATABASE_CONTROL_PASSWORD: devSecret('control', 'Password of `stockyard_control`.'),
  DATABASE_MONITOR_PASSWORD: devSecret('monitor', 'Password of `stockyard_monitor`.'),
  DATABASE_MOVER_PASSWORD: devSecret('mover', 'Password of `stockyard_mover`, which moves tenants (worker only).'),
  DATABASE_POOL_SIZE: count(12, 500, 'Connections of `stockyard_app` per process and node.'),
  DATABASE_POOL_WAIT_MS: count(5_000, 60_000, 'Longest wait for a connection before a request is answered 503.'),
  DATABASE_TENANT_WAIT_MS: count(
    1_000,
    60_000,
    'Longest wait for one of a tenant’s own `max_connections` before a request is answered 429.',
  ),
  DATABASE_PROBE_MS: count(250, 10_000, 'How often each node is asked for its role, position and lag.'),
  DATABASE_REPLICA_MAX_LAG_MS: count(10_000, 3_600_000, 'A replica that lags more serves no reads.'),
  DATABASE_FALLBACK_PERCENT: count(
    50,
    100,
    'Share of a primary’s connections that reads may take which no replica can serve; the rest is for writes.',
  ),
  DATABASE_ANSWER_TIMEOUT_MS: count(
    10_000,
    600_000,
    'Longest wait for the answer of a database that keeps the connection and says nothing, before 503.',
  ),
  DATABASE_PREPARED_STATEMENTS: Type.Enum(['on', 'off'], {
    default: 'on',
    description: '`off` behind a pooler that cannot keep prepared statements (PgBouncer before 1.21).',
  }),
  DATABASE_STATEMENT_TIMEOUT_MS: count(
    30_000,
    600_000,
    'Longest run of one statement of the app role; set by `migrate`.',
  ),
  DATABASE_MIGRATION_LOCK_MS: count(
    2_000,
    60_000,
    'Longest wait of a migration for a lock, and so of the statements behind it; then it is rolled back and tried again.',
  ),
  DATABASE_MIGRATION_LOCK_TRIES: count(
    50,
    10_000,
    'Tries of one migration that meets locks before `migrate` gives up.',
  ),
  REDIS_URL: Type.String({
    pattern: '^rediss?(\\+sentinel)?://',
    default: 'redis://127.0.0.1:6379',
    description:
      'Queues, coordination and the Redis transport; must not evict. A Redis Cluster: several hosts, or `?cluster=true`; the master that Sentinels name: `redis+sentinel://host1:26379,host2:26379/name`.',
  }),
  REDIS_CACHE_URL: Type.String({
    default: '',
    description: 'Cache; may evict. Empty: REDIS_URL. Forms as there.',
  }),
  CACHE_MEMORY_BYTES: Type.Integer({
    minimum: 1_048_576,
    maximum: 17_179_869_184,
    default: 67_108_864,
    description: 'What the values in the memory of one process may take; one organization has an eighth of it at most.',
  }),
  REDIS_LIMITS_URL: Type.String({
    default: '',
    description: 'Rate limits. Empty: the cache’s. Forms as there.',
  }),
  REDIS_KEY_PREFIX: Type.String({
    pattern: '^[a-z0-9_-]{1,40}$',
    default: 'stockyard',
    description: 'First part of every Redis key; set it when deployments share a server.',
  }),
  RATE_LIMIT_REPLICAS: count(
    1,
    10_000,
    'Least number of api processes that limits are divided by while their Redis is away; more when more were heard of.',
  ),
  RATE_LIMIT_MEMORY_MS: count(
    900_000,
    3_600_000,
    'Longest time for which a process refuses by itself what Redis said is used up, before it asks again.',
  ),
  ADMISSION_MAX_CONCURRENCY: count(
    256,
    10_000,
    'Most requests that an api process works on at once; it finds out how many of them are good.',
  ),
  ADMISSION_QUEUE: count(
    512,
    10_000,
    'Most requests that wait for their turn in an api process; others are answered 503.',
  ),
  ADMISSION_WAIT_MS: count(1_000, 60_000, 'Longest wait of a request for its turn before it is answered 503 or 429.'),
  SLO_OBJECTIVES: Type.String({
    maxLength: 2_000,
    default: '',
    description:
      'Changes to the service level objectives of a tier as JSON: `{"free":{"availability":0.999,"latency":0.95,"latency_ms":800}}`.',
  }),
  ADMIN_TOKEN: devSecret('admin-token', 'Bearer token of the platform’s operators for `/v1/admin/…`.'),
  JWT_SECRET: devSecret('jwt-secret-of-at-least-32-bytes', 'Signs access tokens (HS256).'),
  MESSAGING_SECRET: devSecret(
    'messaging',
    'Signs messages between the processes, consistency tokens and download links; seals the secrets of connections.',
  ),
  MESSAGING_SECRET_BEFORE: Type.String({
    default: '',
    description:
      'While it is being changed, the other one, the next or the former: what it signed or sealed is taken too (docs/operations/key-rotation.md).',
  }),
  OUTBOUND_HTTP: Type.Enum(['on', 'off'], {
    default: 'off',
    description: '`on`: tenants may have addresses with `http://` asked, not only `https://`.',
  }),
  OUTBOUND_PRIVATE_ADDRESSES: Type.String({
    default: '',
    description:
      'Blocks of addresses that are not public and may be asked all the same, separated by commas (`10.1.0.0/16`). Every tenant reaches what is there.',
  }),
  ...STORAGE_SETTINGS,
  FILE_LINK_TTL_SECONDS: count(900, 604_800, 'Life of a download link.'),
  ACCESS_TOKEN_TTL_SECONDS: count(900, 86_400, 'Life of an access token.'),
  REFRESH_TOKEN_TTL_SECONDS: count(2_592_000, 31_536_000, 'Life of a refresh token; it rotates at each use.'),
  ...EDGE_SETTINGS,
  SHUTDOWN_GRACE_MS: count(15_000, 600_000, 'Time to finish requests and jobs after SIGTERM.'),
  SHUTDOWN_NOTICE_MS: count(
    5_000,
    60_000,
    'Of it, the time in which `/ready` answers 503 and requests are still taken, so that load balancers notice; half of it at most. A worker takes none.',
  ),
  USAGE_FLUSH_MS: count(2_000, 60_000, 'How often counted usage is written to `tenant_usage`.'),
  METRICS_MINUTES_DAYS: count(3, 365, 'Whole days for which activity is kept by the minute after their end.'),
  USAGE_RETENTION_MONTHS: count(
    13,
    1_200,
    'Whole months for which `tenant_usage` and activity by the hour are kept after their end.',
  ),
  COST_MODEL: Type.String({
    default: '',
    description:
      'What the platform costs, as JSON: `{"currency":"EUR","compute":{"per_month":400},"storage":{"unit_price":0.1,"capacity":2000}}`, see docs/costs.md. Empty: no costs.',
  }),
  AUDIT_RETENTION_MONTHS: count(13, 1_200, 'The same for `audit_log`.'),
  OUTBOX_RETENTION_DAYS: count(
    7,
    3_650,
    'Days for which a month of `outbox` is kept after its end; one with unpublished rows stays until they are published.',
  ),
  WORKER_CLASSES: Type.String({
    pattern: '^(critical|high|normal|low|bulk)(,(critical|high|normal|low|bulk))*$',
    default: 'critical,high,normal,low,bulk',
    description: 'Job classes that this worker runs, separated by commas; `worker --classes` overrides it.',
  }),
  QUEUE_CONCURRENCY_CRITICAL: count(10, 1_000, 'Jobs of class `critical` that one worker runs at once.'),
  QUEUE_CONCURRENCY_HIGH: count(8, 1_000, 'The same for class `high`.'),
  QUEUE_CONCURRENCY_NORMAL: count(5, 1_000, 'The same for class `normal`.'),
  QUEUE_CONCURRENCY_LOW: count(3, 1_000, 'The same for class `low`.'),
  QUEUE_CONCURRENCY_BULK: count(2, 1_000, 'The same for class `bulk`.'),
  JOB_PACE_DELAY_MS: Type.Integer({
    minimum: 0,
    maximum: 1_000,
    default: 1,
    description:
      'While there are requests, jobs of the classes `normal`, `low` and `bulk` run as many at once as delay a shard’s statements by so much. 0: as many as configured.',
  }),
  QUEUE_LOCK_MS: count(12_000, 600_000, 'A job whose worker is silent for this long is given to another one.'),
  MOVE_MAX_PAUSE_MS: count(
    1_000,
    60_000,
    'Longest pause of an organization’s writes while it is moved to another shard.',
  ),
  MOVE_GRACE_MS: count(60_000, 86_400_000, 'How long the rows of a moved organization stay on the shard that it left.'),
  OPERATION_LEASE_MS: count(
    15_000,
    600_000,
    'An operation on a tenant (export, import, delete, move) whose worker is silent for this long is given to another one.',
  ),
  OUTBOX_POLL_MS: count(1_000, 60_000, 'Longest time an outbox row waits for the relay to look, without a hint.'),
  SYNC_TRY_MS: count(
    10_000,
    60_000,
    'Longest try to get a page from an outside system. A page has three times as long, with all its tries and pauses.',
  ),
  SYNC_BREAKER_FAILURES: count(
    5,
    100,
    'Failures of an outside system in a row that open the breaker of its connection.',
  ),
  SYNC_BREAKER_PAUSE_MS: count(
    30_000,
    3_600_000,
    'Until it is tried again the first time; doubles with each trial that fails, up to an hour.',
  ),
  PROCESS_CPU_MILLICORES: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    default: 0,
    description:
      'Processors that a process may use, in thousandths, for the signals of autoscaling. 0: as its control group says, else one.',
  }),
  PROCESS_MEMORY_BYTES: Type.Integer({
    minimum: 0,
    maximum: 1_099_511_627_776,
    default: 0,
    description: 'Memory that it may use, for the same. 0: as its control group says, else what the machine has.',
  }),
  METRICS_COLLECT_MS: count(
    5_000,
    300_000,
    'How often the metrics process asks databases and Redis; scrapes are answered with what they said last.',
  ),
  METRICS_TOP_TENANTS: count(20, 500, 'Organizations that have figures of their own in its metrics, by what they use.'),
  DASHBOARD_STREAMS: count(
    200,
    100_000,
    'Event streams of the dashboard that a metrics process keeps open, before 503.',
  ),
  DASHBOARD_STREAMS_PER_TENANT: count(10, 100_000, 'Of them, those of the readers of one organization, before 429.'),
  DASHBOARD_STREAM_LIFE_MS: count(3_600_000, 86_400_000, 'One that is older is ended; its client connects again.'),
  JOB_RETENTION_DAYS: count(30, 3_650, 'Finished jobs, their files and dead letters are kept for this long.'),
  STOCK_ALERT_RETENTION_DAYS: count(90, 3_650, 'Resolved stock alerts are kept for this long.'),
  JOB_STREAMS: count(1_000, 100_000, 'Event streams of jobs that an api process keeps open at once, before 503.'),
  JOB_STREAMS_PER_TENANT: count(20, 100_000, 'Of them, those of one organization, before 429.'),
  JOB_STREAM_LIFE_MS: count(
    3_600_000,
    86_400_000,
    'An event stream that is older is ended; its client connects again and goes on where it was.',
  ),
  JOB_STREAM_POLL_MS: count(
    10_000,
    60_000,
    'How often an event stream looks at its job without a hint, and says that it is there.',
  ),
});

export type Environment = Static<typeof ENVIRONMENT_SCHEMA>;
