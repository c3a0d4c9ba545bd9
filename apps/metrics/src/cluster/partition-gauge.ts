/**
 * Head-room of partitions for Prometheus. Below 2 months, or 4 days, nobody has made any for a while: an alarm, long before rows find
 * none.
 */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import { Collectors } from '../collect/collectors.service';
import { ShardMonitors } from './shard-monitors';

const KINDS = [
  ['months', 'Months after this one for which a partitioned table has partitions; -1 when this one has none.'],
  ['days', 'The same for tables that are partitioned by day, in days after this one.'],
] as const;
const SQL = {
  months: 'select parent, months as left from partition_headroom()',
  days: 'select parent, days as left from partition_headroom_days()',
} as const;

interface Headroom {
  /** The partitioned table. */
  readonly parent: string;
  readonly left: number;
}

@Injectable()
export class PartitionGauge {
  constructor(registry: MetricsRegistry, collectors: Collectors, monitors: ShardMonitors) {
    for (const [unit, help] of KINDS) {
      const headroom = collectors.make({
        name: unit === 'months' ? 'partitions' : 'partitions_by_day',
        sources: () => monitors.eachShard<Headroom>(SQL[unit]),
      });
      registry.gauge({
        name: `stockyard_partition_headroom_${unit}`,
        help,
        labels: ['shard', 'parent'],
        read: async () =>
          (await headroom.values()).flatMap(({ source: shard, value: rows }) =>
            rows.map(({ parent, left }) => ({ labels: { shard, parent }, value: left })),
          ),
      });
    }
  }
}
