/** The environment that `config` may hold: what the processes read, less what the chart sets itself and what is secret. */
import { ENVIRONMENT_SCHEMA } from '#libs/config';
import Type, { type TProperties, type TSchema } from 'typebox';
import { section } from './setting';

/** Known to the processes by these names; the chart takes them from secrets. */
export const SECRET_VARIABLES = [
  'ADMIN_TOKEN',
  'JWT_SECRET',
  'MESSAGING_SECRET',
  'MESSAGING_SECRET_BEFORE',
  'REGIONS_SECRET',
  'DATABASE_OWNER_PASSWORD',
  'DATABASE_APP_PASSWORD',
  'DATABASE_RELAY_PASSWORD',
  'DATABASE_CONTROL_PASSWORD',
  'DATABASE_MONITOR_PASSWORD',
  'DATABASE_MOVER_PASSWORD',
  'STORAGE_S3_ACCESS_KEY_ID',
  'STORAGE_S3_SECRET_ACCESS_KEY',
  'OTEL_EXPORTER_OTLP_HEADERS',
];

/** Other values of the chart say them, or the chart alone. */
export const CHART_VARIABLES = [
  'NODE_ENV',
  'HOST',
  'API_PORT',
  'WORKER_PORT',
  'METRICS_PORT',
  'DATABASE_URL',
  'DATABASE_REPLICA_URLS',
  'DATABASE_SHARDS',
  'REDIS_URL',
  'REDIS_CACHE_URL',
  'REDIS_LIMITS_URL',
  'RATE_LIMIT_REPLICAS',
  'SHUTDOWN_GRACE_MS',
  'STORAGE_DIR',
  'STORAGE_S3_BUCKET',
  'STORAGE_S3_ENDPOINT',
  'STORAGE_S3_LINK_ENDPOINT',
  'STORAGE_S3_REGION',
  'STORAGE_S3_PATH_STYLE',
  'WORKER_CLASSES',
  'QUEUE_CONCURRENCY_CRITICAL',
  'QUEUE_CONCURRENCY_HIGH',
  'QUEUE_CONCURRENCY_NORMAL',
  'QUEUE_CONCURRENCY_LOW',
  'QUEUE_CONCURRENCY_BULK',
];

/** The processes check again when they start; this says it before anything is deployed. */
export function environment() {
  const taken = new Set([...SECRET_VARIABLES, ...CHART_VARIABLES]);
  const properties: TProperties = {};
  for (const [name, schema] of Object.entries(ENVIRONMENT_SCHEMA.properties as Record<string, TSchema>)) {
    if (!taken.has(name)) properties[name] = Type.Optional(schema);
  }
  return section(properties, 'By the names of the README.');
}
