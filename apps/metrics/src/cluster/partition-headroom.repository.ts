/** How many months, or days, each partitioned table has left before rows find no partition. It stands in the catalog. */
import { Injectable } from '@nestjs/common';
import { ShardMonitors } from './shard-monitors';

const MONTHS = 'select parent, months as left from partition_headroom()';
const DAYS = 'select parent, days as left from partition_headroom_days()';

export interface PartitionHeadroom {
  readonly shard: string;
  /** The partitioned table. */
  readonly parent: string;
  /** Months, or days, after this one that have a partition; -1 when this one has none. */
  readonly left: number;
}

@Injectable()
export class PartitionHeadroomRepository {
  constructor(private readonly monitors: ShardMonitors) {}

  /** Of tables that are partitioned by month. Never rejects: a shard of which no server answers is not among the rows. */
  months(): Promise<PartitionHeadroom[]> {
    return this.ask(MONTHS);
  }

  /** Of tables that are partitioned by day; as above. */
  days(): Promise<PartitionHeadroom[]> {
    return this.ask(DAYS);
  }

  private async ask(sql: string): Promise<PartitionHeadroom[]> {
    const answers = await this.monitors.ask<Omit<PartitionHeadroom, 'shard'>>(sql);
    return answers.flatMap(({ shard, rows }) => rows.map((row) => ({ shard, ...row })));
  }
}
