/** The platform at one glance. What does not answer is null or left out, and `missing` says so. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { Clock, inTime } from '#libs/kernel';
import type { ClusterSnapshot } from '#libs/messaging';
import { AutoscalingService, type AutoscalingReport } from '../../autoscaling/autoscaling.service';
import { ClusterService } from '../../cluster/cluster.service';
import { type PlatformView, RANGE_NAMES, type RangeName } from '../dashboard.shape';
import { type Look, SharedView } from '../shared-view';
import { viewPeriod } from '../view-period';
import { type Deploy, DeploysRepository } from './deploys.repository';
import { PlatformSums } from './platform-sums.service';
import { ShardFiguresService } from './shard-figures.service';

const PATIENCE_MS = 2_000;

@Injectable()
export class PlatformViewService {
  private readonly views: ReadonlyMap<RangeName, SharedView<PlatformView>>;

  constructor(
    private readonly sums: PlatformSums,
    private readonly cluster: ClusterService,
    private readonly autoscaling: AutoscalingService,
    private readonly shardFigures: ShardFiguresService,
    private readonly deploys: DeploysRepository,
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
    const [series, budgets, snapshot, scaling, shards, deploys] = await Promise.all([
      this.sums.series(points),
      this.sums.budgets(now),
      this.cluster.snapshot(),
      this.autoscaling.report(),
      this.shardFigures.shards(),
      inTime(this.deploys.recent(), PATIENCE_MS).catch(() => null),
    ]);
    const { organizations, replicas } = snapshot;
    return {
      taken_at: new Date(now).toISOString(),
      period: shown,
      ...series.value,
      organizations,
      queues: queuesOf(snapshot),
      replicas: [...replicas],
      shards,
      processes: processesOf(scaling),
      triggers: scaling.triggers.map((trigger) => ({ ...trigger })),
      decisions: scaling.decisions.map((decision) => ({ ...decision })),
      budgets: budgets.value,
      deploys: deploysOf(deploys ?? [], scaling),
      missing: missingOf({
        away: [...new Set([...series.missing, ...budgets.missing])],
        silent: shards.flatMap(({ name, reachable }) => (reachable ? [] : [name])),
        directory: organizations === null || deploys === null,
        queues: snapshot.queues === null,
        processes: scaling.processes === null,
      }),
    };
  }
}

function queuesOf({ queues }: ClusterSnapshot): PlatformView['queues'] {
  return queues && queues.map(({ service_ms: _, ...queue }) => queue);
}

function processesOf({ processes }: AutoscalingReport): PlatformView['processes'] {
  return processes && processes.map(({ version: _, ...process }) => process);
}

function deploysOf(deploys: readonly Deploy[], { processes }: AutoscalingReport): PlatformView['deploys'] {
  return deploys.map(({ version, process, first_seen_at }) => ({
    version,
    process,
    first_seen_at: first_seen_at.toISOString(),
    running: (processes ?? []).filter((one) => one.process === process && one.version === version).length,
  }));
}

interface Missing {
  readonly away: readonly string[];
  readonly silent: readonly string[];
  readonly directory: boolean;
  readonly queues: boolean;
  readonly processes: boolean;
}

function missingOf({ away, silent, directory, queues, processes }: Missing): string[] {
  return [
    ...away.map((shard) => `Shard ${shard} did not answer in time: what its organizations do is not in the sums.`),
    ...silent.map((shard) => `No server of shard ${shard} answers.`),
    ...(directory ? ['The directory did not answer in time.'] : []),
    ...(queues ? ['The Redis of the queues does not answer.'] : []),
    ...(processes ? ['No process can be heard: the Redis of the queues does not answer.'] : []),
  ];
}
