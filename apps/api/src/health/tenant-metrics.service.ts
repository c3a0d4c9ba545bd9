/** What `/api/metrics` tells the admin of a tenant: how the platform does right now, and what the tenant used this hour. */
import { Injectable } from '@nestjs/common';
import { CACHE_OUTCOMES, type CacheOutcome, CacheReports, hitRate } from '#libs/cache';
import { type DependencyHealth, HealthService } from '#libs/health';
import { Directory, type Limits, TenantContextHolder, type Tier } from '#libs/tenancy';
import { UsageRepository, type UsageTotal } from '#libs/usage';

const HOUR_MS = 3_600_000;
const ABSENT: DependencyHealth = { status: 'error', latency_ms: 0 };

export interface TenantMetrics {
  readonly database: DependencyHealth;
  readonly cache: DependencyHealth & {
    /** Null while the cache is away. */
    readonly reads: Readonly<Record<CacheOutcome, number>> | null;
    readonly hitRate: number | null;
  };
  readonly organizationId: string;
  readonly tier: Tier;
  readonly limits: Limits;
  readonly hourStart: Date;
  readonly usage: readonly UsageTotal[];
}

@Injectable()
export class TenantMetricsService {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly directory: Directory,
    private readonly health: HealthService,
    private readonly cache: CacheReports,
    private readonly usage: UsageRepository,
  ) {}

  async current(): Promise<TenantMetrics> {
    const { organizationId } = this.tenant.current();
    const hourStart = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS);
    const [{ checks }, organization, usage, reads] = await Promise.all([
      this.health.report(),
      this.directory.find(organizationId),
      this.usage.totals(hourStart, new Date(hourStart.getTime() + HOUR_MS)),
      this.readsOfThisHour(),
    ]);
    const { tier, limits } = organization!; // authentication found it a moment ago
    return {
      database: checks.database ?? ABSENT,
      cache: { ...(checks.cache ?? ABSENT), reads, hitRate: reads && hitRate(reads) },
      organizationId,
      tier,
      limits,
      hourStart,
      usage,
    };
  }

  private async readsOfThisHour(): Promise<Readonly<Record<CacheOutcome, number>> | null> {
    const report = await this.cache.report(1).catch(() => null);
    if (!report) return null;
    const sum = (outcome: CacheOutcome) =>
      [...report.namespaces.values()].reduce((all, each) => all + each[outcome], 0);
    return Object.fromEntries(CACHE_OUTCOMES.map((outcome) => [outcome, sum(outcome)])) as Record<CacheOutcome, number>;
  }
}
