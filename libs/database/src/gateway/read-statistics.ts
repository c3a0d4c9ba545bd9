/** Where reads went and why, counted since the start of the process; shown as a metric. */
import { Injectable } from '@nestjs/common';
import type { ReadReason } from '../routing/read-router';

export interface ReadCount {
  readonly shard: string;
  readonly reason: ReadReason | 'refused_behind' | 'node_failed';
  readonly count: number;
}

@Injectable()
export class ReadStatistics {
  private readonly byShard = new Map<string, Map<ReadCount['reason'], number>>();

  count(shard: string, reason: ReadCount['reason']): void {
    const counts = this.byShard.get(shard);
    if (counts) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    else this.byShard.set(shard, new Map([[reason, 1]]));
  }

  snapshot(): readonly ReadCount[] {
    return [...this.byShard].flatMap(([shard, counts]) =>
      [...counts].map(([reason, count]) => ({ shard, reason, count })),
    );
  }
}
