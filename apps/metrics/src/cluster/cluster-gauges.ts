/** The cluster for Prometheus. Every replica of this process shows the same numbers: take the maximum, not the sum. */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry, type Sample } from '#libs/observability';
import { Collectors } from '../collect/collectors.service';
import { ClusterService } from './cluster.service';

const JOB_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;
const MS_PER_SECOND = 1_000;
const QUEUE_GAUGES = [
  ['stockyard_queue_oldest_seconds', 'oldest_seconds', 'Age of the oldest job that waits in a class.'],
  ['stockyard_queue_slots', 'slots', 'Jobs of a class that all workers can run at once.'],
  ['stockyard_queue_workers', 'workers', 'Workers that run a class.'],
  ['stockyard_queue_service_seconds', 'service_ms', 'Smoothed time that a job of a class takes.'],
  ['stockyard_queue_backlog_seconds', 'backlog_seconds', 'How long what waits will take: jobs x service time / slots.'],
] as const;

@Injectable()
export class ClusterGauges {
  constructor(registry: MetricsRegistry, collectors: Collectors, cluster: ClusterService) {
    collectors.make({
      name: 'cluster',
      sources: () =>
        (['organizations', 'queues'] as const).map((name) => ({ name, read: () => answered(cluster, name) })),
    });
    registry.gauge({
      name: 'stockyard_organizations',
      help: 'Organizations by state.',
      labels: ['state'],
      read: async () =>
        Object.entries((await cluster.snapshot()).organizations ?? {}).map(([state, value]) => ({
          labels: { state },
          value,
        })),
    });
    registry.gauge({
      name: 'stockyard_queue_jobs',
      help: 'Jobs in the queue of a class, by state.',
      labels: ['job_class', 'state'],
      read: async () =>
        ((await cluster.snapshot()).queues ?? []).flatMap((depth) =>
          JOB_STATES.map((state): Sample => ({ labels: { job_class: depth.job_class, state }, value: depth[state] })),
        ),
    });
    for (const [name, field, help] of QUEUE_GAUGES) {
      registry.gauge({
        name,
        help,
        labels: ['job_class'],
        read: async () =>
          ((await cluster.snapshot()).queues ?? []).flatMap(({ job_class, [field]: value }): Sample[] =>
            value === null
              ? []
              : [{ labels: { job_class }, value: field === 'service_ms' ? value / MS_PER_SECOND : value }],
          ),
      });
    }
    registry.gauge({
      name: 'stockyard_replica_up',
      help: '1 for a replica that answers, else 0.',
      labels: ['replica'],
      read: async () =>
        (await cluster.snapshot()).replicas.map(({ name, reachable }) => ({
          labels: { replica: name },
          value: Number(reachable),
        })),
    });
    registry.gauge({
      name: 'stockyard_replica_lag_bytes',
      help: 'Log that a replica has not replayed yet.',
      labels: ['replica'],
      read: async () => this.lags(await cluster.snapshot(), ({ lag_bytes }) => lag_bytes),
    });
    registry.gauge({
      name: 'stockyard_replica_lag_seconds',
      help: 'Age of the newest commit that a replica has replayed, while there is more to replay.',
      labels: ['replica'],
      read: async () =>
        this.lags(await cluster.snapshot(), ({ lag_ms }) => (lag_ms === null ? null : lag_ms / MS_PER_SECOND)),
    });
  }

  private lags(
    { replicas }: Awaited<ReturnType<ClusterService['snapshot']>>,
    lag: (replica: (typeof replicas)[number]) => number | null,
  ): Sample[] {
    return replicas.flatMap((replica) => {
      const value = lag(replica);
      return value === null ? [] : [{ labels: { replica: replica.name }, value }];
    });
  }
}

/** Whether what the picture of the cluster needs answers; the picture itself is kept for two seconds. */
async function answered(cluster: ClusterService, what: 'organizations' | 'queues'): Promise<void> {
  if ((await cluster.snapshot())[what] === null) throw new Error(`The ${what} could not be counted.`);
}
