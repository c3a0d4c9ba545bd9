/** How many months each partitioned table has left before rows find no partition. It stands in the catalog. */
import { Injectable } from '@nestjs/common';
import { ShardMonitors } from './shard-monitors';

const HEADROOM = 'select parent, months from partition_headroom()';

export interface PartitionHeadroom {
  readonly shard: string;
  /** The partitioned table. */
  readonly parent: string;
  /** Months after this one that have a partition; -1 when this one has none. */
  readonly months: number;
}

@Injectable()
export class PartitionHeadroomRepository {
  constructor(private readonly monitors: ShardMonitors) {}

  /** Never rejects: a shard of which no server answers is not among the rows. */
  async all(): Promise<PartitionHeadroom[]> {
    const answers = await this.monitors.ask<Omit<PartitionHeadroom, 'shard'>>(HEADROOM);
    return answers.flatMap(({ shard, rows }) => rows.map((row) => ({ shard, ...row })));
  }
}
