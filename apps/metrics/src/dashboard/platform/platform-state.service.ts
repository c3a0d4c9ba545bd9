/** How the platform stands beside what its tenants do: servers, queues, processes, releases. What does not answer is null. */
import { Injectable } from '@nestjs/common';
import { inTime } from '#libs/kernel';
import { AutoscalingService, type AutoscalingReport } from '../../autoscaling/autoscaling.service';
import { ClusterService } from '../../cluster/cluster.service';
import type { PlatformView } from '../dashboard.shape';
import { type Deploy, DeploysRepository } from './deploys.repository';
import { ShardFiguresService } from './shard-figures.service';

const PATIENCE_MS = 2_000;

type Shown =
  'organizations' | 'queues' | 'replicas' | 'shards' | 'processes' | 'triggers' | 'decisions' | 'deploys' | 'missing';

@Injectable()
export class PlatformState {
  constructor(
    private readonly cluster: ClusterService,
    private readonly autoscaling: AutoscalingService,
    private readonly shardFigures: ShardFiguresService,
    private readonly deploys: DeploysRepository,
  ) {}

  /** Never rejects. */
  async now(): Promise<Pick<PlatformView, Shown>> {
    const [{ organizations, queues, replicas }, scaling, shards, deploys] = await Promise.all([
      this.cluster.snapshot(),
      this.autoscaling.report(),
      this.shardFigures.shards(),
      inTime(this.deploys.recent(), PATIENCE_MS).catch(() => null),
    ]);
    return {
      organizations,
      queues: queues && queues.map(({ service_ms: _, ...queue }) => queue),
      replicas: [...replicas],
      shards,
      processes: processesOf(scaling),
      triggers: [...scaling.triggers],
      decisions: [...scaling.decisions],
      deploys: deploysOf(deploys ?? [], scaling),
      missing: [
        ...shards.flatMap(({ name, reachable }) => (reachable ? [] : [`No server of shard ${name} answers.`])),
        ...(organizations === null || deploys === null ? ['The directory did not answer in time.'] : []),
        ...(queues === null ? ['The Redis of the queues does not answer.'] : []),
        ...(scaling.processes === null ? ['No process can be heard: the Redis of the queues does not answer.'] : []),
      ],
    };
  }
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
