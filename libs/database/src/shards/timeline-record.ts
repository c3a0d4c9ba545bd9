/** Writes down on each shard which timeline its primary is on, so that the replicas which follow it can prove it. */
import type { DatabaseNode } from './database-node';
import type { Shard } from './shard';

const NOTE = 'insert into timelines (timeline) values ($1) on conflict do nothing';

export class TimelineRecord {
  private readonly noted = new Map<Shard, string>();
  private readonly writing = new Map<Shard, Promise<void>>();

  /** Once for each timeline and process; what fails is tried again the next time. */
  note(shard: Shard): void {
    const { primary, timeline } = shard;
    if (!primary || timeline === undefined || this.noted.get(shard) === timeline || this.writing.has(shard)) return;
    const written = this.write(primary, timeline).then(
      () => void this.noted.set(shard, timeline),
      () => undefined,
    );
    this.writing.set(
      shard,
      written.finally(() => this.writing.delete(shard)),
    );
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.all(this.writing.values());
  }

  private async write(primary: DatabaseNode, timeline: string): Promise<void> {
    await primary.pool('control').query(NOTE, [timeline]);
  }
}
