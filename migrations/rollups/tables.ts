/** What each tenant did, by minute, hour and day: one shape of table, three lengths of life. */
import { wallIn } from '../tenant-table';

/**
 * `activity` is a route (`GET /v1/orders`), a type of job (`job bulk.import`), or empty for all that the tenant did, what
 * has no route included; the calls of that row are requests alone. `latencies` is a sketch: sorted pairs of bucket and count.
 */
const table = (name: string, partitioned: boolean): string => `
  create table ${name} (
    organization_id uuid not null,
    period_start timestamptz not null,
    activity text not null check (length(activity) <= 300),
    calls bigint not null default 0,
    errors bigint not null default 0,
    refusals bigint not null default 0,
    duration_us bigint not null default 0,
    latencies integer[] not null default '{}' check (cardinality(latencies) % 2 = 0),
    job_ms bigint not null default 0,
    queries bigint not null default 0,
    database_us bigint not null default 0,
    rows_read bigint not null default 0,
    rows_written bigint not null default 0,
    bytes_in bigint not null default 0,
    bytes_out bigint not null default 0,
    cache_bytes bigint not null default 0,
    primary key (organization_id, period_start, activity))${partitioned ? ' partition by range (period_start)' : ''};
  ${wallIn(name, 'select, insert, update')}`;

export const ACTIVITY_TABLES = `
  ${table('tenant_minutes', true)}
  ${table('tenant_hours', true)}
  ${table('tenant_days', false)}

  -- For sums over all tenants, which read no routes.
  create index tenant_days_of_all on tenant_days (period_start) where activity = '';
  -- Operators see how much everybody used, and nothing of what was done.
  create policy totals on tenant_days for select to stockyard_owner using (true);`;
