/** The current tenant's activity with whole sketches, so that it can be added up further: one activity by period, or all by activity. */
import { Injectable } from '@nestjs/common';
import { type Statement, TenantDatabase, tenantRead } from '#libs/database';
import { ActivityCell, type Amounts, AMOUNTS, WHOLE } from './activity-cell';
import { GRANULARITIES, type Granularity } from './activity.repository';

interface Row extends Amounts {
  readonly period_start: Date;
  readonly activity: string;
  readonly latencies: readonly number[];
}

export interface PeriodCell {
  readonly start: Date;
  readonly cell: ActivityCell;
}

export interface NamedCell {
  readonly activity: string;
  readonly cell: ActivityCell;
}

type Build = (...values: readonly unknown[]) => Statement;

function each(build: (unit: Granularity) => Build): Readonly<Record<Granularity, Build>> {
  return Object.fromEntries(GRANULARITIES.map((unit) => [unit, build(unit)])) as Record<Granularity, Build>;
}

const PERIODS = each((unit) =>
  tenantRead(
    `usage_cells_${unit}`,
    `select period_start, activity, latencies, ${AMOUNTS.join(', ')} from tenant_${unit}s
     where organization_id = $1 and period_start >= $2 and period_start < $3 and activity = $4 order by period_start`,
  ),
);

/** Sketches are merged for the first ones alone. Requests have a duration, runs of jobs are charged while they run. */
const ACTIVITIES = each((unit) =>
  tenantRead(
    `usage_activities_${unit}`,
    `with used as materialized (
       select activity, latencies, ${AMOUNTS.join(', ')} from tenant_${unit}s
       where organization_id = $1 and period_start >= $2 and period_start < $3 and activity <> ''),
     totals as (
       select activity, ${AMOUNTS.map((name) => `sum(${name})::bigint as ${name}`).join(', ')} from used group by activity
       order by sum(case when activity like 'job %' then job_ms * 1000 else duration_us end) desc, activity limit $4),
     buckets as (
       select activity, latencies[i] as bucket, sum(latencies[i + 1])::bigint as times
       from used join totals using (activity), generate_series(1, cardinality(latencies), 2) i group by 1, 2),
     sketches as (
       select activity, array_agg(part::double precision order by bucket, place) as latencies
       from buckets, lateral (values (1, bucket::bigint), (2, times)) pair (place, part) group by activity)
     select t.activity, coalesce(s.latencies, '{}') as latencies, ${AMOUNTS.map((name) => `t.${name}`).join(', ')}
     from totals t left join sketches s using (activity)
     order by case when t.activity like 'job %' then t.job_ms * 1000 else t.duration_us end desc, t.activity`,
  ),
);

/** From a time on, up to but without another. */
interface Stretch {
  readonly unit: Granularity;
  readonly from: Date;
  readonly to: Date;
}

@Injectable()
export class ActivityDetailRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** Periods of an activity in which something happened, oldest first. */
  async periods({ unit, from, to }: Stretch, activity = WHOLE): Promise<PeriodCell[]> {
    const rows = await this.database.statement<Row>(PERIODS[unit](from, to, activity));
    return rows.map((row) => ({ start: row.period_start, cell: ActivityCell.of(row) }));
  }

  /** Routes and types of jobs, the one with most time first. */
  async activities({ unit, from, to }: Stretch, most: number): Promise<NamedCell[]> {
    const rows = await this.database.statement<Row>(ACTIVITIES[unit](from, to, most));
    return rows.map((row) => ({ activity: row.activity, cell: ActivityCell.of(row) }));
  }
}
