/** Usage: what each tenant consumes, metered in memory and kept by the hour in `tenant_usage`. */
export { ActivityCell, jobActivity, routeActivity } from './activity/activity-cell';
export { ActivityDetailRepository, type NamedCell, type PeriodCell } from './activity/activity-detail.repository';
export { type CostPeriod, costPeriod } from './costs/cost-period';
export { type CostReport, CostService } from './costs/cost.service';
export type { CostPart, Parts, TenantCost } from './costs/cost-split';
export { type ActivityFigures, activityFigures } from './totals/activity-figures';
export { ActivityTotalsRepository, type ByTier, type TenantSums } from './totals/activity-totals.repository';
export { type PlatformActivity, PlatformActivityService } from './totals/platform-activity.service';
export { beginOf, partsUntilNow, type TimePart, UNIT_MS } from './totals/time-parts';
export { UsageModule, type UsageModuleOptions } from './usage.module';
export { UsageMeter } from './usage-meter';
export { GRANULARITIES, type Granularity } from './activity/activity.repository';
export { type UsagePeriod, seriesPeriod, usagePeriod } from './usage-period';
export { UsageReader } from './usage-reader';
export type { UsageBatch, UsageIncrement } from './usage-tally';
export { UsageRepository, type UsageTotal } from './usage.repository';
