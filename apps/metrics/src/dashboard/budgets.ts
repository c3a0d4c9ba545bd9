/**
 * What is left of the error budgets of 30 days, from the rollups: of availability, requests that failed; of latency, those whose
 * answer took longer than the objective allows, as far as sketches tell. Several tiers together have the budget of each of their
 * requests. The alerts (docs/slo.md) go by what processes count; both tell of the same requests, these by tenant.
 */
import type { SloObjectives } from '#libs/config';
import type { Tier } from '#libs/tenancy';
import { ActivityCell, beginOf, type ByTier, partsUntilNow, type TimePart, UNIT_MS } from '#libs/usage';

const OBJECTIVES = ['availability', 'latency'] as const;
const US_PER_MS = 1_000;
const BUDGET_DAYS = 30;
/** Ratios of whole numbers, without what is left of their arithmetic. */
const DIGITS = 1e9;

/** The times that a budget is about. */
export const BUDGET_WINDOWS = ['month', 'hour', 'sixHours'] as const;
export type BudgetWindow = (typeof BUDGET_WINDOWS)[number];
export type WindowSums = Readonly<Record<BudgetWindow, ByTier>>;

export interface Budget {
  readonly tier: string;
  readonly objective: (typeof OBJECTIVES)[number];
  readonly target: number;
  readonly events: number;
  readonly bad: number;
  readonly remaining_ratio: number | null;
  readonly burn_1h: number | null;
  readonly burn_6h: number | null;
}

/** Where the sums of each window are read. */
export function windowParts(now: number): Readonly<Record<BudgetWindow, readonly TimePart[]>> {
  const minutes = (count: number) =>
    partsUntilNow('minute', beginOf('minute', now) - (count - 1) * UNIT_MS.minute, now);
  const month = beginOf('day', now) - (BUDGET_DAYS - 1) * UNIT_MS.day;
  return { month: partsUntilNow('day', month, now), hour: minutes(60), sixHours: minutes(360) };
}

/** Of some tiers: one of them by its name, or all as `all`. */
export function budgetsOf(name: string, tiers: readonly Tier[], sums: WindowSums, objectives: SloObjectives): Budget[] {
  return OBJECTIVES.map((objective) => {
    const [month, hour, sixHours] = BUDGET_WINDOWS.map((window) =>
      useOf(objective, tiers, sums[window], objectives),
    ) as [Use, Use, Use];
    const strictest = Math.max(...tiers.map((tier) => objectives[tier][objective]));
    const spent = spentOf(month);
    return {
      ...{ tier: name, objective, events: month.events, bad: month.bad },
      target: month.events === 0 ? strictest : rounded(1 - month.allowed / month.events),
      remaining_ratio: spent === null ? null : rounded(1 - spent),
      burn_1h: spentOf(hour),
      burn_6h: spentOf(sixHours),
    };
  });
}

interface Use {
  readonly events: number;
  readonly bad: number;
  /** Bad ones that the objectives allow among so many. */
  readonly allowed: number;
}

function useOf(objective: Budget['objective'], tiers: readonly Tier[], sums: ByTier, objectives: SloObjectives): Use {
  const use = { events: 0, bad: 0, allowed: 0 };
  for (const tier of tiers) {
    const { [objective]: target, latency_ms: longest } = objectives[tier];
    const { amounts, latencies } = sums.get(tier) ?? new ActivityCell();
    const events = objective === 'availability' ? amounts.calls : latencies.count();
    use.events += events;
    use.bad += objective === 'availability' ? amounts.errors : latencies.above(longest * US_PER_MS);
    use.allowed += events * (1 - target);
  }
  return use;
}

/** How many times what is allowed was used; of a budget for as long as the window, how many times too fast. */
function spentOf({ events, bad, allowed }: Use): number | null {
  return events === 0 ? null : rounded(bad / allowed);
}

function rounded(ratio: number): number {
  return Math.round(ratio * DIGITS) / DIGITS;
}
