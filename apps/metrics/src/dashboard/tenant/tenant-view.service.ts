/** One tenant at one glance, and one of its activities. Readers of the same view share a look. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { notFound } from '#libs/database';
import { Clock } from '#libs/kernel';
import { Directory, type Organization } from '#libs/tenancy';
import { LRUCache } from 'lru-cache';
import { seriesOf } from '../activity-points';
import type { ActivityView, RangeName, TenantView } from '../dashboard.shape';
import { MonthCosts } from '../month-costs.service';
import { type Look, SharedView } from '../shared-view';
import { viewPeriod } from '../view-period';
import { TenantLimits } from './tenant-limits.service';
import { TenantReads } from './tenant-reads.service';

/** Views that are kept: each has up to 360 points and 100 routes. */
const KEPT = 200;
const NOTHING = seriesOf([]);

export interface TenantAsked {
  readonly organizationId: string;
  readonly range: RangeName;
  readonly forOperator: boolean;
}

export interface ActivityAsked {
  readonly organizationId: string;
  readonly range: RangeName;
  readonly activity: string;
}

type DatedActivity = ActivityView & { readonly taken_at: string };

@Injectable()
export class TenantViewService {
  private readonly views = new LRUCache<string, SharedView<TenantView>>({ max: KEPT });
  private readonly activities = new LRUCache<string, SharedView<DatedActivity>>({ max: KEPT });

  constructor(
    private readonly directory: Directory,
    private readonly reads: TenantReads,
    private readonly limits: TenantLimits,
    private readonly costs: MonthCosts,
    private readonly clock: Clock,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'METRICS_COLLECT_MS'>,
  ) {}

  /** Throws `not_found` (404). */
  look(asked: TenantAsked): Promise<Look<TenantView>> {
    const key = `${asked.organizationId} ${asked.range} ${asked.forOperator}`;
    return this.shared(this.views, key, () => this.view(asked)).look();
  }

  /** Throws `not_found` (404), and as the tenant's shard does. */
  async activity(asked: ActivityAsked): Promise<ActivityView> {
    const key = `${asked.organizationId} ${asked.range} ${asked.activity}`;
    const { view } = await this.shared(this.activities, key, () => this.activityView(asked)).look();
    const { taken_at: _, ...shown } = view;
    return shown;
  }

  private shared<View extends TenantView | DatedActivity>(
    kept: LRUCache<string, SharedView<View>>,
    key: string,
    make: () => Promise<View>,
  ): SharedView<View> {
    const known = kept.get(key);
    if (known) return known;
    const made = new SharedView(this.config.METRICS_COLLECT_MS, make);
    kept.set(key, made);
    return made;
  }

  private async view({ organizationId, range, forOperator }: TenantAsked): Promise<TenantView> {
    const organization = await this.find(organizationId);
    const now = this.clock.nowMs();
    const period = viewPeriod(range, now);
    const read = await this.reads.all(organization, period, now);
    const [limits, costs] = await Promise.all([
      this.limits.of(organization, read?.holdings ?? null),
      forOperator ? this.costs.all() : this.costs.own(),
    ]);
    return {
      taken_at: new Date(now).toISOString(),
      organization: { ...namesOf(organization), shard: forOperator ? organization.shard : null },
      period: period.shown,
      ...(read?.series ?? NOTHING),
      routes: read?.routes ?? [],
      limits,
      budgets: read?.budgets ?? [],
      jobs: read ? jobsOf(read.holdings) : null,
      bytes_stored: read?.holdings.bytes_stored ?? null,
      cost: costs.of(organizationId),
      missing: [
        ...(read ? [] : ['What the organization did and has cannot be read at the moment.']),
        ...(limits.some(({ kind, used }) => kind === 'rate' && used === null)
          ? ['What is used of the rate limits is not known: their Redis does not answer.']
          : []),
        ...costs.missing,
      ],
    };
  }

  private async activityView({ organizationId, range, activity }: ActivityAsked): Promise<DatedActivity> {
    const organization = await this.find(organizationId);
    const now = this.clock.nowMs();
    const period = viewPeriod(range, now);
    return {
      taken_at: new Date(now).toISOString(),
      organization: namesOf(organization),
      activity,
      period: period.shown,
      ...(await this.reads.series(organization, period, activity)),
    };
  }

  private async find(organizationId: string): Promise<Organization> {
    const organization = await this.directory.find(organizationId);
    if (!organization) throw notFound();
    return organization;
  }
}

function namesOf({ id, name, slug, tier, state }: Organization) {
  return { organization_id: id, name, slug, tier, state };
}

function jobsOf({ waiting, running, dead_letters }: NonNullable<Awaited<ReturnType<TenantReads['all']>>>['holdings']) {
  return { waiting, running, dead_letters };
}
