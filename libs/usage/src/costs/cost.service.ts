/** The costs of tenants over some days. They are computed from what every tenant used, so a process keeps an answer for a minute. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, type CostModel } from '#libs/config';
import { notFound } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import { LRUCache } from 'lru-cache';
import type { CostPeriod } from './cost-period';
import { CostRepository } from './cost.repository';
import { type CostSplit, splitCosts, type TenantCost } from './cost-split';

const KEPT_MS = 60_000;
const KEPT = 16;

export interface CostReport extends CostSplit {
  readonly model: CostModel;
  readonly period: CostPeriod;
}

@Injectable()
export class CostService {
  private readonly kept = new LRUCache<string, Promise<CostReport>>({ max: KEPT, ttl: KEPT_MS });

  constructor(
    private readonly repository: CostRepository,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'costModel'>,
  ) {}

  /** Throws `costs_not_configured` (404) and `costs_incomplete` (503). */
  report(period: CostPeriod): Promise<CostReport> {
    const { costModel: model } = this.config;
    if (!model) throw notConfigured();
    const key = `${period.from.getTime()}:${period.to.getTime()}`;
    const kept = this.kept.get(key);
    if (kept) return kept;
    const made = this.repository.use(period).then((use) => ({ model, period, ...splitCosts(model, period, use) }));
    this.kept.set(key, made);
    made.catch(() => this.kept.delete(key));
    return made;
  }

  /** The part of one organization. Throws `not_found` (404), as for any unknown resource, unless tenants may see their costs. */
  async own(period: CostPeriod, organizationId: string): Promise<CostReport & { readonly own: TenantCost }> {
    if (!this.config.costModel?.visible_to_tenants) throw notFound();
    const report = await this.report(period);
    const own = report.tenants.find((tenant) => tenant.organizationId === organizationId);
    if (!own) throw notFound();
    return { ...report, own };
  }
}

function notConfigured(): StockyardError {
  return new StockyardError({
    code: 'costs_not_configured',
    category: 'not_found',
    message: 'What the platform costs is not known; set COST_MODEL.',
  });
}
