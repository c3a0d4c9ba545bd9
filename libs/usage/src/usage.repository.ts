/**
 * SQL of `tenant_usage`: sums by organization, metric and hour, and the newest value of each level. What a flush adds to it, it
 * adds to the tenant's minutes, hours and days in the same statement.
 */
import { Injectable } from '@nestjs/common';
import { TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import { AMOUNTS } from './activity/activity-cell';
import type { UsageBatch } from './usage-tally';

export interface UsageTotal {
  readonly metric: string;
  readonly value: number;
}

/** Metrics that say how much there is, and not how much was added: their rows hold the last value of the hour. */
const LEVELS: readonly string[] = ['bytes_stored'];

const COLUMNS = AMOUNTS.join(', ');

/** Adds rows of `added` to a table of activity, in key order. */
const addTo = (table: string, unit: 'minute' | 'hour' | 'day', only = 'true') => `
  insert into ${table} as t (organization_id, period_start, activity, latencies, ${COLUMNS})
  select $1, date_trunc('${unit}', minute, 'UTC'), activity, merged_sketch(latencies), ${AMOUNTS.map((name) => `sum(${name})`).join(', ')}
  from added where ${only} group by 2, 3 order by 2, 3
  on conflict (organization_id, period_start, activity) do update set
    latencies = case excluded.latencies when '{}' then t.latencies else merge_sketches(t.latencies, excluded.latencies) end,
    ${AMOUNTS.map((name) => `${name} = t.${name} + excluded.${name}`).join(', ')}`;

/**
 * The writer's row is claimed first and held until the commit, so that a copy of the batch waits and then finds it done. Minutes
 * are a convenience: those of a day without a partition, which may be long over, count by the hour and the day alone.
 */
const apply = tenantStatement(
  'usage_apply_activity',
  `with claimed as (
     insert into usage_writers as w (organization_id, writer, last_flush) values ($1, $2, $3)
     on conflict (organization_id, writer) do update set last_flush = excluded.last_flush, flushed_at = now()
       where w.last_flush < excluded.last_flush
     returning 1),
   added as (
     select a.* from claimed, jsonb_to_recordset($5::jsonb)
       as a (minute timestamptz, activity text, latencies integer[], ${AMOUNTS.map((name) => `${name} bigint`).join(', ')})),
   minutes as (${addTo('tenant_minutes', 'minute', "to_regclass('tenant_minutes_' || to_char(minute at time zone 'UTC', 'YYYYMMDD')) is not null")}),
   hours as (${addTo('tenant_hours', 'hour')}),
   days as (${addTo('tenant_days', 'day')})
   insert into tenant_usage as t (organization_id, metric, period_start, value)
   select $1, u.metric, u.period_start, u.value
   from claimed, jsonb_to_recordset($4::jsonb) as u (metric text, period_start timestamptz, value bigint)
   on conflict (organization_id, metric, period_start) do update set value = t.value + excluded.value`,
);

const totals = tenantRead(
  'usage_totals',
  `select metric, sum(value)::bigint as value from tenant_usage
   where organization_id = $1 and period_start >= $2 and period_start < $3 and metric <> all ($4::text[])
   group by metric
   union all
   select * from (
     select distinct on (metric) metric, value from tenant_usage
     where organization_id = $1 and period_start < $3 and metric = any ($4::text[])
     order by metric, period_start desc) level
   order by metric`,
);

@Injectable()
export class UsageRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** Adds a batch to the current tenant's sums: all of it, once, however often it comes. */
  async apply({ writer, number, increments, activity }: UsageBatch): Promise<void> {
    const rows = increments.map(({ metric, periodStart, value }) => ({ metric, period_start: periodStart, value }));
    // In key order, so that two processes that flush the same tenant never wait for each other in a circle.
    rows.sort((a, b) => a.period_start.getTime() - b.period_start.getTime() || (a.metric < b.metric ? -1 : 1));
    await this.database.statement(apply(writer, number, JSON.stringify(rows), JSON.stringify(activity)));
  }

  /** The current tenant's sums over the hours that begin in [from, to), and its levels before `to`. */
  totals(from: Date, to: Date): Promise<UsageTotal[]> {
    return this.database.statement<UsageTotal>(totals(from, to, LEVELS));
  }
}
