/** Head-room of partitions for Prometheus. Below 2 nobody has made months for weeks: an alarm, long before rows are refused. */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import { Collectors } from '../collect/collectors.service';
import { ShardMonitors } from './shard-monitors';

const HEADROOM = 'select parent, months from partition_headroom()';

interface Headroom {
  /** The partitioned table. */
  readonly parent: string;
  readonly months: number;
}

@Injectable()
export class PartitionGauge {
  constructor(registry: MetricsRegistry, collectors: Collectors, monitors: ShardMonitors) {
    const headroom = collectors.make({ name: 'partitions', sources: () => monitors.eachShard<Headroom>(HEADROOM) });
    registry.gauge({
      name: 'stockyard_partition_headroom_months',
      help: 'Months after this one for which a partitioned table has partitions; -1 when this one has none.',
      labels: ['shard', 'parent'],
      read: async () =>
        (await headroom.values()).flatMap(({ source: shard, value: rows }) =>
          rows.map(({ parent, months }) => ({ labels: { shard, parent }, value: months })),
        ),
    });
  }
}
