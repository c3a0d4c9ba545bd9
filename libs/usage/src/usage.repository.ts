/** SQL of `tenant_usage`: sums by organization, metric and hour. */
import { Injectable } from '@nestjs/common';
import { TenantDatabase, tenantRead, tenantStatement } from '#libs/database';

/** What one hour added to one metric. */
export interface UsageIncrement {
  readonly metric: string;
  /** Start of the hour in UTC. */
  readonly periodStart: Date;
  readonly value: number;
}

export interface UsageTotal {
  readonly metric: string;
  readonly value: number;
}

const add = tenantStatement(
  'usage_add',
  `insert into tenant_usage (organization_id, metric, period_start, value)
   select $1, u.metric, u.period_start, u.value
   from jsonb_to_recordset($2::jsonb) as u (metric text, period_start timestamptz, value bigint)
   on conflict (organization_id, metric, period_start) do update set value = tenant_usage.value + excluded.value`,
);

const totals = tenantRead(
  'usage_totals',
  `select metric, sum(value)::bigint as value from tenant_usage
   where organization_id = $1 and period_start >= $2 and period_start < $3
   group by metric order by metric`,
);

@Injectable()
export class UsageRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** Adds to the current tenant's sums: all of it or nothing. */
  async add(increments: readonly UsageIncrement[]): Promise<void> {
    const rows = increments.map(({ metric, periodStart, value }) => ({ metric, period_start: periodStart, value }));
    // In key order, so that two processes that flush the same tenant never wait for each other in a circle.
    rows.sort((a, b) => a.period_start.getTime() - b.period_start.getTime() || (a.metric < b.metric ? -1 : 1));
    await this.database.statement(add(JSON.stringify(rows)));
  }

  /** The current tenant's sums over the hours that begin in [from, to). */
  totals(from: Date, to: Date): Promise<UsageTotal[]> {
    return this.database.statement<UsageTotal>(totals(from, to));
  }
}
