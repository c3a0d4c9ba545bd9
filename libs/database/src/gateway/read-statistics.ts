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
  private readonly counts = new Map<string, { -readonly [K in keyof ReadCount]: ReadCount[K] }>();

  count(shard: string, reason: ReadCount['reason']): void {
    const key = `${shard}:${reason}`;
    const known = this.counts.get(key);
    if (known) known.count += 1;
    else this.counts.set(key, { shard, reason, count: 1 });
  }

  snapshot(): readonly ReadCount[] {
    return [...this.counts.values()];
  }
}
