/** Head-room of partitions for Prometheus. Below 2 nobody has made months for weeks: an alarm, long before rows are refused. */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import { PartitionHeadroomRepository } from './partition-headroom.repository';

@Injectable()
export class PartitionGauge {
  constructor(registry: MetricsRegistry, partitions: PartitionHeadroomRepository) {
    registry.gauge({
      name: 'stockyard_partition_headroom_months',
      help: 'Months after this one for which a partitioned table has partitions; -1 when this one has none.',
      labels: ['shard', 'parent'],
      read: async () =>
        (await partitions.all()).map(({ shard, parent, months }) => ({ labels: { shard, parent }, value: months })),
    });
  }
}
