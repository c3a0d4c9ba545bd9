/** Reads usage of any organization, for processes that serve no tenant's request themselves. */
import { Injectable } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { Directory, TenantContextHolder } from '#libs/tenancy';
import { type ActivityQuery, ActivityRepository } from './activity/activity.repository';
import { type SeriesPoint, seriesPoint } from './activity/series-point';
import type { UsagePeriod } from './usage-period';
import { UsageRepository, type UsageTotal } from './usage.repository';

@Injectable()
export class UsageReader {
  constructor(
    private readonly directory: Directory,
    private readonly tenant: TenantContextHolder,
    private readonly repository: UsageRepository,
    private readonly activity: ActivityRepository,
  ) {}

  /** Sums over the hours that begin in the period. Throws `not_found` for an unknown organization. */
  totals(organizationId: string, { from, to }: UsagePeriod): Promise<UsageTotal[]> {
    return this.as(organizationId, () => this.repository.totals(from, to));
  }

  /** Points in order. Throws `not_found` for an unknown organization. */
  async series(organizationId: string, query: ActivityQuery): Promise<SeriesPoint[]> {
    return (await this.as(organizationId, () => this.activity.points(query))).map(seriesPoint);
  }

  private async as<T>(organizationId: string, work: () => Promise<T>): Promise<T> {
    if (!(await this.directory.find(organizationId))) {
      throw new StockyardError({ code: 'not_found', category: 'not_found', message: 'There is no such organization.' });
    }
    const actor = { type: 'system', id: null } as const;
    const context = { organizationId, actor, permissions: new Set<string>(), requestId: 'usage-reader' };
    return this.tenant.run(context, work);
  }
}
