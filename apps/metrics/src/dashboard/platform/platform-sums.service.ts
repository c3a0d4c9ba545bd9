/** What all tenants did, as the dashboard shows it: by period, and what it leaves of the error budgets. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { TIERS, type Tier } from '#libs/tenancy';
import { ActivityCell, PlatformActivityService, type TimePart } from '#libs/usage';
import { type Series, seriesOf, sumOf } from '../activity-points';
import { type Budget, BUDGET_WINDOWS, budgetsOf, windowParts, type WindowSums } from '../budgets';

interface Told<T> {
  readonly value: T;
  /** Shards whose tenants are not in it. */
  readonly missing: readonly string[];
}

@Injectable()
export class PlatformSums {
  constructor(
    private readonly activity: PlatformActivityService,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'sloObjectives'>,
  ) {}

  /** Never rejects. */
  async series(points: TimePart): Promise<Told<Series>> {
    const { periods, missing } = await this.activity.read(points);
    const cells = [...periods].map(([start, tiers]) => [start, sumOf(tiers.values())] as const);
    return { value: seriesOf(cells), missing };
  }

  /** By tier, and `all`. Never rejects. */
  async budgets(now: number): Promise<Told<Budget[]>> {
    const parts = windowParts(now);
    const missing = new Set<string>();
    const sums = {} as Record<keyof WindowSums, ReadonlyMap<Tier, ActivityCell>>;
    for (const window of BUDGET_WINDOWS) {
      const read = await Promise.all(parts[window].map((part) => this.activity.read(part)));
      for (const shard of read.flatMap((each) => each.missing)) missing.add(shard);
      const tiers = read.flatMap(({ periods }) => [...periods.values()]);
      sums[window] = new Map(TIERS.map((tier) => [tier, sumOf(tiers.flatMap((each) => each.get(tier) ?? []))]));
    }
    const { sloObjectives } = this.config;
    const each = TIERS.flatMap((tier) => budgetsOf(tier, [tier], sums, sloObjectives));
    return { value: [...each, ...budgetsOf('all', TIERS, sums, sloObjectives)], missing: [...missing] };
  }
}
