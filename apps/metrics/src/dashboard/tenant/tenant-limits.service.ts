/** Every limit of a tenant, and what is left of it. Reading takes nothing of any. */
import { Injectable } from '@nestjs/common';
import { CacheSizes } from '#libs/cache';
import { ShareReader } from '#libs/coordination';
import type { Organization } from '#libs/tenancy';
import { RateLimitReader, type RateLimitUse } from '#libs/throttling';
import type { TenantView } from '../dashboard.shape';
import type { Holdings } from './tenant-holdings.repository';

type Limit = TenantView['limits'][number];
type Amount = Pick<Limit, 'name' | 'unit' | 'limit' | 'used'>;

const MS_PER_SECOND = 1_000;

@Injectable()
export class TenantLimits {
  constructor(
    private readonly rates: RateLimitReader,
    private readonly shares: ShareReader,
    private readonly cache: CacheSizes,
  ) {}

  /** `holdings` is null where it cannot be told. Never rejects. */
  async of(organization: Organization, holdings: Holdings | null): Promise<Limit[]> {
    const { id, limits } = organization;
    const [rates, requests, connections, cacheBytes] = await Promise.all([
      this.rates.used(organization),
      this.shares.requests(id),
      this.shares.connections(id),
      this.cache.bytes(id),
    ]);
    const held = (name: keyof Holdings) => holdings?.[name] ?? null;
    const concurrency: Amount[] = [
      { name: 'max_concurrent_requests', unit: 'requests', limit: limits.maxConcurrentRequests, used: requests },
      { name: 'max_connections', unit: 'connections', limit: limits.maxConnections, used: connections },
      { name: 'max_running_jobs', unit: 'jobs', limit: limits.maxRunningJobs, used: held('running_of_class') },
    ];
    const amounts: Amount[] = [
      { name: 'max_waiting_jobs', unit: 'jobs', limit: limits.maxWaitingJobs, used: held('waiting') },
      { name: 'max_storage_bytes', unit: 'bytes', limit: limits.maxStorageBytes, used: held('bytes_stored') },
      { name: 'max_cache_bytes', unit: 'bytes', limit: limits.maxCacheBytes, used: cacheBytes },
      { name: 'max_users', unit: 'users', limit: limits.maxUsers, used: held('users') },
      { name: 'max_schedules', unit: 'schedules', limit: limits.maxSchedules, used: held('schedules') },
      {
        name: 'max_sync_connections',
        unit: 'connections',
        limit: limits.maxSyncConnections,
        used: held('connections'),
      },
    ];
    return [
      ...rates.map(rateLimit),
      ...concurrency.map((each) => limitOf('concurrency', each)),
      ...amounts.map((each) => limitOf('amount', each)),
    ];
  }
}

/** A quota is named as its column in `tenant_limits`, a rate by its policy. */
function rateLimit({ policy, limit, used }: RateLimitUse): Limit {
  const name = policy.kind === 'quota' ? policy.name : `rate_${policy.name}`;
  return limitOf('rate', { name, unit: 'requests', limit, used }, policy.windowMs / MS_PER_SECOND);
}

function limitOf(kind: Limit['kind'], amount: Amount, windowSeconds: number | null = null): Limit {
  const { limit, used } = amount;
  return { ...amount, kind, left: used === null ? null : Math.max(0, limit - used), window_seconds: windowSeconds };
}
