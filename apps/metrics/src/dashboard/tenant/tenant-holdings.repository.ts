/** What the current tenant has of what is limited by number or size, and its jobs. */
import { Injectable } from '@nestjs/common';
import { TenantDatabase, tenantRead } from '#libs/database';

export interface Holdings {
  readonly users: number;
  readonly schedules: number;
  readonly connections: number;
  readonly waiting: number;
  readonly running: number;
  /** Of the class that runs most. */
  readonly running_of_class: number;
  readonly dead_letters: number;
  readonly bytes_stored: number;
}

const count = (table: string, only = 'true') =>
  `(select count(*) from ${table} where organization_id = $1 and ${only})::integer`;

const holdings = tenantRead(
  'dashboard_holdings',
  `select ${count('users')} as users, ${count('schedules')} as schedules, ${count('connections')} as connections,
     ${count('jobs', "state = 'queued'")} as waiting, ${count('jobs', "state = 'running'")} as running,
     coalesce((select max(jobs) from (
       select count(*) as jobs from jobs where organization_id = $1 and state = 'running' group by class) each), 0)::integer as running_of_class,
     ${count('dead_letters')} as dead_letters,
     coalesce((select value from tenant_usage where organization_id = $1 and metric = 'bytes_stored'
       order by period_start desc limit 1), 0)::bigint as bytes_stored`,
);

@Injectable()
export class TenantHoldingsRepository {
  constructor(private readonly database: TenantDatabase) {}

  async holdings(): Promise<Holdings> {
    return (await this.database.statement<Holdings>(holdings()))[0]!;
  }
}
