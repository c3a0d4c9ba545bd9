/** What tenants cost in this month so far, where costs are configured. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { Clock, StockyardError } from '#libs/kernel';
import { costPeriod, type CostReport, CostService } from '#libs/usage';

const DAY_MS = 86_400_000;

export interface Cost {
  readonly currency: string;
  readonly total_micros: number;
}

export interface Costs {
  /** Null where costs are not configured, or not known. */
  of(organizationId: string): Cost | null;
  readonly missing: readonly string[];
}

const NO_COSTS: Costs = { of: () => null, missing: [] };

@Injectable()
export class MonthCosts {
  /** By organization; reports are kept for a minute and asked for at every page. */
  private readonly maps = new WeakMap<CostReport, ReadonlyMap<string, Cost>>();

  constructor(
    private readonly costs: CostService,
    private readonly clock: Clock,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'costModel'>,
  ) {}

  /** For operators. Never rejects. */
  async all(): Promise<Costs> {
    if (!this.config.costModel) return NO_COSTS;
    const now = this.clock.now();
    const today = now.toISOString().slice(0, 10);
    const tomorrow = new Date(now.getTime() + DAY_MS).toISOString().slice(0, 10);
    try {
      const report = await this.costs.report(costPeriod({ from: `${today.slice(0, 8)}01`, to: tomorrow }, now));
      const byOrganization = this.mapOf(report);
      return { of: (id) => byOrganization.get(id) ?? null, missing: [] };
    } catch (error) {
      const why = error instanceof StockyardError ? error.message : 'They could not be read.';
      return { of: () => null, missing: [`Costs: ${why}`] };
    }
  }

  /** For the tenant itself, where the model says that it may see them. Never rejects. */
  async own(): Promise<Costs> {
    if (!this.config.costModel?.visible_to_tenants) return NO_COSTS;
    const costs = await this.all();
    return costs.missing.length === 0 ? costs : { ...costs, missing: ['Costs are not known at the moment.'] };
  }

  private mapOf(report: CostReport): ReadonlyMap<string, Cost> {
    const known = this.maps.get(report);
    if (known) return known;
    const { currency } = report.model;
    const made = new Map(
      report.tenants.map(({ organizationId, total }) => [organizationId, { currency, total_micros: Number(total) }]),
    );
    this.maps.set(report, made);
    return made;
  }
}
