/** The platform at one glance. What does not answer is null or left out, and `missing` says so. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { Clock } from '#libs/kernel';
import { type PlatformView, RANGE_NAMES, type RangeName } from '../dashboard.shape';
import { type Look, SharedView } from '../shared-view';
import { viewPeriod } from '../view-period';
import { PlatformState } from './platform-state.service';
import { PlatformSums } from './platform-sums.service';

@Injectable()
export class PlatformViewService {
  private readonly views: ReadonlyMap<RangeName, SharedView<PlatformView>>;

  constructor(
    private readonly sums: PlatformSums,
    private readonly state: PlatformState,
    private readonly clock: Clock,
    @Inject(APP_CONFIG) { METRICS_COLLECT_MS }: Pick<AppConfig, 'METRICS_COLLECT_MS'>,
  ) {
    this.views = new Map(
      RANGE_NAMES.map((range) => [range, new SharedView(METRICS_COLLECT_MS, () => this.view(range))]),
    );
  }

  look(range: RangeName): Promise<Look<PlatformView>> {
    return this.views.get(range)!.look();
  }

  private async view(range: RangeName): Promise<PlatformView> {
    const now = this.clock.nowMs();
    const { points, shown } = viewPeriod(range, now);
    const [series, budgets, state] = await Promise.all([
      this.sums.series(points),
      this.sums.budgets(now),
      this.state.now(),
    ]);
    const away = [...new Set([...series.missing, ...budgets.missing])];
    return {
      taken_at: new Date(now).toISOString(),
      period: shown,
      ...series.value,
      ...state,
      budgets: budgets.value,
      missing: [...away.map(notSummed), ...state.missing],
    };
  }
}

function notSummed(shard: string): string {
  return `Shard ${shard} did not answer from its primary in time: what its organizations do is not in the sums.`;
}
