/** Reads a tenant's activity: its minutes, hours or days in order, all of it or by route. */
import { Injectable } from '@nestjs/common';
import { type Statement, TenantDatabase, tenantRead } from '#libs/database';
import { type Amounts, AMOUNTS, WHOLE } from './activity-cell';

export const GRANULARITIES = ['minute', 'hour', 'day'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

export interface ActivityQuery {
  readonly granularity: Granularity;
  /** Each route and type of job by itself, instead of all that the tenant did. */
  readonly byRoute: boolean;
  /** Points that begin in [from, to). */
  readonly from: Date;
  readonly to: Date;
  /** The last point that the caller has. */
  readonly after?: { readonly periodStart: Date; readonly activity: string };
  readonly limit: number;
}

export interface ActivityPoint extends Amounts {
  readonly period_start: Date;
  readonly activity: string;
  /** Pairs of a LatencySketch. */
  readonly latencies: readonly number[];
  /** Of all that the tenant did: the newest level before the end of the point, known by the hour; null before the first. */
  readonly bytes_stored: number | null;
}

/** `$4` is whether the row of all is meant, or the others. */
const points = (granularity: Granularity) =>
  tenantRead(
    `usage_points_${granularity}`,
    `select t.period_start, t.activity, t.latencies, ${AMOUNTS.map((name) => `t.${name}`).join(', ')},
       case when $4 then (
         select u.value from tenant_usage u where u.organization_id = $1 and u.metric = 'bytes_stored'
           and u.period_start < t.period_start + interval '1 ${granularity}' order by u.period_start desc limit 1) end as bytes_stored
     from tenant_${granularity}s t
     where t.organization_id = $1 and t.period_start >= $2 and t.period_start < $3 and (t.activity = '') = $4::boolean
       and (t.period_start, t.activity) > ($5::timestamptz, $6::text)
     order by t.period_start, t.activity limit $7`,
  );

const STATEMENTS: Readonly<Record<Granularity, (...values: readonly unknown[]) => Statement>> = {
  minute: points('minute'),
  hour: points('hour'),
  day: points('day'),
};

@Injectable()
export class ActivityRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** Points of the current tenant in which something happened. */
  points({ granularity, byRoute, from, to, after, limit }: ActivityQuery): Promise<ActivityPoint[]> {
    const last = after ?? { periodStart: new Date(0), activity: WHOLE };
    const statement = STATEMENTS[granularity](from, to, !byRoute, last.periodStart, last.activity, limit);
    return this.database.statement<ActivityPoint>(statement);
  }
}
