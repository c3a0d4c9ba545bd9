/**
 * Head-room of partitions for Prometheus. Below 2 months, or 4 days, nobody has made any for a while: an alarm, long before rows find
 * none.
 */
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
        (await partitions.months()).map(({ shard, parent, left }) => ({ labels: { shard, parent }, value: left })),
    });
    registry.gauge({
      name: 'stockyard_partition_headroom_days',
      help: 'The same for tables that are partitioned by day, in days after this one.',
      labels: ['shard', 'parent'],
      read: async () =>
        (await partitions.days()).map(({ shard, parent, left }) => ({ labels: { shard, parent }, value: left })),
    });
  }
}
