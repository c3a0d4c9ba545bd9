/** Usage: what each tenant consumes, metered in memory and kept by the hour in `tenant_usage`. */
export { jobActivity, routeActivity } from './activity/activity-cell';
export { type CostPeriod, costPeriod } from './costs/cost-period';
export { type CostReport, CostService } from './costs/cost.service';
export type { CostPart, Parts, TenantCost } from './costs/cost-split';
export { UsageModule, type UsageModuleOptions } from './usage.module';
export { UsageMeter } from './usage-meter';
export { GRANULARITIES, type Granularity } from './activity/activity.repository';
export { type UsagePeriod, seriesPeriod, usagePeriod } from './usage-period';
export { UsageReader } from './usage-reader';
export type { UsageBatch, UsageIncrement } from './usage-tally';
export { UsageRepository, type UsageTotal } from './usage.repository';
