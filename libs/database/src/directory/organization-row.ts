/** How `organizations` and `tenant_limits` read as the directory's Organization. */
import { effectiveLimits, type LimitName, type Organization, type OrganizationState, type Tier } from '#libs/tenancy';

/** The column of `tenant_limits` that overrides each limit. */
export const LIMIT_COLUMNS = {
  maxConnections: 'max_connections',
  apiCallsPerHour: 'api_calls_per_hour',
  maxUsers: 'max_users',
  maxStorageBytes: 'max_storage_bytes',
  requestsPerMinute: 'requests_per_minute',
  authAttemptsPer15Minutes: 'auth_attempts_per_15_minutes',
  exportsPerHour: 'exports_per_hour',
  bulkPerHour: 'bulk_per_hour',
  schedulingWeight: 'scheduling_weight',
  maxRunningJobs: 'max_running_jobs',
  maxWaitingJobs: 'max_waiting_jobs',
  maxSchedules: 'max_schedules',
  maxSyncConnections: 'max_sync_connections',
  maxCacheBytes: 'max_cache_bytes',
  maxConcurrentRequests: 'max_concurrent_requests',
} as const satisfies Record<LimitName, string>;

export const LIMIT_NAMES = Object.keys(LIMIT_COLUMNS) as LimitName[];

type OverrideColumns = Readonly<Record<(typeof LIMIT_COLUMNS)[LimitName], number | null>>;

export interface OrganizationRow extends OverrideColumns {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly tier: Tier;
  readonly region: string;
  readonly state: OrganizationState;
  readonly epoch: number;
  readonly shard_key: number;
  readonly shard: string;
  readonly pinned: boolean;
  readonly version: number;
  readonly created_at: Date;
}

export const SELECT_ORGANIZATION = `
  select o.id, o.slug, o.name, o.tier, o.region, o.state, o.epoch, o.shard_key, coalesce(o.shard, b.shard) as shard,
    o.shard is not null as pinned, o.version, o.created_at,
    ${LIMIT_NAMES.map((name) => `l.${LIMIT_COLUMNS[name]}`).join(', ')}
  from organizations o join shard_buckets b on b.bucket = o.shard_key
    left join tenant_limits l on l.organization_id = o.id`;

export function overridesOf(row: OrganizationRow): Record<LimitName, number | null> {
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, row[LIMIT_COLUMNS[name]]])) as Record<
    LimitName,
    number | null
  >;
}

export function toOrganization(row: OrganizationRow): Organization {
  const { id, slug, name, tier, region, state, epoch, version, shard, pinned } = row;
  const limits = effectiveLimits(tier, overridesOf(row));
  return {
    id,
    slug,
    name,
    tier,
    region,
    state,
    epoch,
    version,
    shardKey: row.shard_key,
    shard,
    pinned,
    createdAt: row.created_at,
    limits,
  };
}
