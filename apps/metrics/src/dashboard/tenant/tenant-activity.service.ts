/** What one tenant did: its series, its routes and its budgets, read on its own shard and behind the wall. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import type { Organization } from '#libs/tenancy';
import { ActivityDetailRepository, activityFigures, type TimePart } from '#libs/usage';
import { type Series, seriesOf, sumOf } from '../activity-points';
import { type Budget, BUDGET_WINDOWS, budgetsOf, windowParts, type WindowSums } from '../budgets';
import type { TenantView } from '../dashboard.shape';

const MOST_ROUTES = 100;

@Injectable()
export class TenantActivity {
  constructor(
    private readonly detail: ActivityDetailRepository,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'sloObjectives'>,
  ) {}

  /** Of the current tenant; of one activity, or of all that it did. */
  async series(points: TimePart, activity?: string): Promise<Series> {
    const cells = await this.detail.periods(stretch(points), activity);
    return seriesOf(
      cells.map(({ start, cell }) => [start.getTime(), cell] as const),
      activity,
    );
  }

  async routes(points: TimePart): Promise<TenantView['routes']> {
    const activities = await this.detail.activities(stretch(points), MOST_ROUTES);
    return activities.map(({ activity, cell }) => ({ activity, ...activityFigures(cell, activity) }));
  }

  async budgets({ tier }: Organization, now: number): Promise<Budget[]> {
    const parts = windowParts(now);
    const sums = {} as Record<keyof WindowSums, WindowSums['month']>;
    for (const window of BUDGET_WINDOWS) {
      const cells = [];
      for (const part of parts[window]) cells.push(...(await this.detail.periods(stretch(part))));
      sums[window] = new Map([[tier, sumOf(cells.map(({ cell }) => cell))]]);
    }
    return budgetsOf(tier, [tier], sums, this.config.sloObjectives);
  }
}

function stretch({ unit, from, to }: TimePart) {
  return { unit, from: new Date(from), to: new Date(to) };
}
