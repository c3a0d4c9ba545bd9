/** What `/api/metrics` tells the admin of a tenant: how the platform does right now, and what the tenant used this hour. */
import { Injectable } from '@nestjs/common';
import { type CacheOutcome, TenantCache } from '#libs/cache';
import { type DependencyHealth, HealthService } from '#libs/health';
import { Directory, type Limits, TenantContextHolder, type Tier } from '#libs/tenancy';
import { UsageRepository, type UsageTotal } from '#libs/usage';

const HOUR_MS = 3_600_000;
const ABSENT: DependencyHealth = { status: 'error', latency_ms: 0 };

export interface TenantMetrics {
  readonly database: DependencyHealth;
  readonly cache: DependencyHealth & {
    readonly reads: Readonly<Record<CacheOutcome, number>>;
    readonly hitRate: number | null;
  };
  readonly organizationId: string;
  readonly tier: Tier;
  readonly limits: Limits;
  readonly hourStart: Date;
  readonly usage: readonly UsageTotal[];
}

/** Part of reads that did without the database; null before the first. */
function hitRate(reads: Readonly<Record<CacheOutcome, number>>): number | null {
  const hits = reads.hit_near + reads.hit_far + reads.joined;
  const all = hits + reads.miss + reads.bypassed;
  return all === 0 ? null : Math.round((hits / all) * 10_000) / 10_000;
}

@Injectable()
export class TenantMetricsService {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly directory: Directory,
    private readonly health: HealthService,
    private readonly cache: TenantCache,
    private readonly usage: UsageRepository,
  ) {}

  async current(): Promise<TenantMetrics> {
    const { organizationId } = this.tenant.current();
    const hourStart = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS);
    const [{ checks }, organization, usage] = await Promise.all([
      this.health.report(),
      this.directory.find(organizationId),
      this.usage.totals(hourStart, new Date(hourStart.getTime() + HOUR_MS)),
    ]);
    const { tier, limits } = organization!; // authentication found it a moment ago
    const reads = this.cache.statistics.snapshot();
    return {
      database: checks.database ?? ABSENT,
      cache: { ...(checks.cache ?? ABSENT), reads, hitRate: hitRate(reads) },
      organizationId,
      tier,
      limits,
      hourStart,
      usage,
    };
  }
}
