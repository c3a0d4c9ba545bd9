/** SQL of `tenant_usage`: sums by organization, metric and hour, and the newest value of each level. */
import { Injectable } from '@nestjs/common';
import { TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import type { UsageBatch } from './usage-tally';

export interface UsageTotal {
  readonly metric: string;
  readonly value: number;
}

/** Metrics that say how much there is, and not how much was added: their rows hold the last value of the hour. */
const LEVELS: readonly string[] = ['bytes_stored'];

/** The writer's row is claimed first and held until the commit, so that a copy of the batch waits and then finds it done. */
const apply = tenantStatement(
  'usage_apply',
  `with claimed as (
     insert into usage_writers as w (organization_id, writer, last_flush) values ($1, $2, $3)
     on conflict (organization_id, writer) do update set last_flush = excluded.last_flush, flushed_at = now()
       where w.last_flush < excluded.last_flush
     returning 1)
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
  async apply({ writer, number, increments }: UsageBatch): Promise<void> {
    const rows = increments.map(({ metric, periodStart, value }) => ({ metric, period_start: periodStart, value }));
    // In key order, so that two processes that flush the same tenant never wait for each other in a circle.
    rows.sort((a, b) => a.period_start.getTime() - b.period_start.getTime() || (a.metric < b.metric ? -1 : 1));
    await this.database.statement(apply(writer, number, JSON.stringify(rows)));
  }

  /** The current tenant's sums over the hours that begin in [from, to), and its levels before `to`. */
  totals(from: Date, to: Date): Promise<UsageTotal[]> {
    return this.database.statement<UsageTotal>(totals(from, to, LEVELS));
  }
}
