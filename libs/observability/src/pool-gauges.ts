/** Connections of each database pool, the state of each node, and where reads went. */
import { Inject, Injectable, Optional } from '@nestjs/common';
import { ReadStatistics, Shards } from '#libs/database';
import { MetricsRegistry, type Sample } from './metrics-registry';

const MS_PER_SECOND = 1_000;

@Injectable()
export class PoolGauges {
  constructor(
    registry: MetricsRegistry,
    @Optional() @Inject(Shards) private readonly shards: Shards | null,
    @Optional() @Inject(ReadStatistics) private readonly reads: ReadStatistics | null,
  ) {
    registry.gauge({
      name: 'stockyard_pool_connections',
      help: 'Connections of a database pool, and callers that wait for one.',
      labels: ['shard', 'node', 'role', 'state'],
      read: () => this.connections(),
    });
    registry.gauge({
      name: 'stockyard_node_up',
      help: '1 for a database node that this process would use, else 0; by the role it has at the moment.',
      labels: ['shard', 'node', 'standby'],
      read: () => this.nodes(({ isUp }) => Number(isUp)),
    });
    registry.gauge({
      name: 'stockyard_node_lag_seconds',
      help: 'Age of the oldest write that a node does not show yet, as this process sees it.',
      labels: ['shard', 'node', 'standby'],
      read: () => this.nodes(({ lagMs }) => lagMs / MS_PER_SECOND),
    });
    registry.gauge({
      name: 'stockyard_fallback_reads',
      help: 'Reads that the primary answers at the moment in place of replicas.',
      labels: ['shard'],
      read: () =>
        (this.shards?.all() ?? []).map(({ name, fallback }) => ({ labels: { shard: name }, value: fallback.used })),
    });
    registry.counter({
      name: 'stockyard_reads_routed_total',
      help: 'Reads by why they went where they went, since the start of the process.',
      labels: ['shard', 'reason'],
      read: () =>
        (this.reads?.snapshot() ?? []).map(({ shard, reason, count }) => ({ labels: { shard, reason }, value: count })),
    });
  }

  private connections(): Sample[] {
    return (this.shards?.snapshot() ?? []).flatMap(({ shard, node, pools }) =>
      pools.flatMap(({ role, used, idle, waiting }) =>
        Object.entries({ used, idle, waiting }).map(([state, value]) => ({
          labels: { shard, node, role, state },
          value,
        })),
      ),
    );
  }

  private nodes(value: (node: { isUp: boolean; lagMs: number }) => number): Sample[] {
    return (this.shards?.snapshot() ?? []).map((state) => ({
      labels: { shard: state.shard, node: state.node, standby: String(state.standby ?? 'unknown') },
      value: value(state),
    }));
  }
}
