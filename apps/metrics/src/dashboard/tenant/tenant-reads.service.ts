/**
 * Reads what the dashboard shows of a tenant on its shard, behind the wall. One statement after another: they take of the connections
 * that the tenant may have.
 */
import { Injectable, Logger } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { type Organization, TenantContextHolder } from '#libs/tenancy';
import type { Series } from '../activity-points';
import type { Budget } from '../budgets';
import type { TenantView } from '../dashboard.shape';
import type { ViewPeriod } from '../view-period';
import { TenantActivity } from './tenant-activity.service';
import { type Holdings, TenantHoldingsRepository } from './tenant-holdings.repository';

export interface TenantRead {
  readonly series: Series;
  readonly routes: TenantView['routes'];
  readonly budgets: Budget[];
  readonly holdings: Holdings;
}

@Injectable()
export class TenantReads {
  private readonly logger = new Logger('Dashboard');

  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly activity: TenantActivity,
    private readonly holdings: TenantHoldingsRepository,
  ) {}

  /** Undefined while it cannot be read: its shard is away, or it leaves. */
  async all(organization: Organization, { points }: ViewPeriod, now: number): Promise<TenantRead | undefined> {
    try {
      return await this.as(organization, async () => ({
        series: await this.activity.series(points),
        routes: await this.activity.routes(points),
        budgets: await this.activity.budgets(organization, now),
        holdings: await this.holdings.holdings(),
      }));
    } catch (error) {
      this.logger.debug({ organization_id: organization.id, err: error }, 'A tenant could not be read.');
      return undefined;
    }
  }

  /** Throws `database_unavailable` (503) and others while it cannot be read. */
  series(organization: Organization, { points }: ViewPeriod, activity: string): Promise<Series> {
    return this.as(organization, () => this.activity.series(points, activity));
  }

  private as<T>(organization: Organization, work: () => Promise<T>): Promise<T> {
    const actor = { type: 'system', id: null } as const;
    const permissions = new Set<string>();
    return this.tenant.run({ organizationId: organization.id, actor, permissions, requestId: newId() }, work);
  }
}
