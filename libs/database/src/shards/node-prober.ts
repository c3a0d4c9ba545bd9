/** Asks every node again and again, and at once after something failed on it. */
import type { Logger } from '@nestjs/common';
import type { DatabaseNode } from './database-node';
import type { Shard } from './shard';
import { TimelineRecord } from './timeline-record';

export class NodeProber {
  private timer: NodeJS.Timeout | undefined;
  private readonly running = new Map<DatabaseNode, Promise<void>>();
  private readonly timelines = new TimelineRecord();
  private stopped = false;

  constructor(
    private readonly shards: readonly Shard[],
    private readonly everyMs: number,
    private readonly logger: Logger,
  ) {}

  /** Resolves after the first answer or failure of each node; then goes on until stopped. */
  async start(): Promise<void> {
    await this.all();
    if (this.stopped) return;
    this.timer = setInterval(() => void this.all(), this.everyMs).unref();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await Promise.all([...this.running.values(), this.timelines.settled()]);
  }

  /** One probe of a node at a time. Never rejects. */
  probe(shard: Shard, node: DatabaseNode): Promise<void> {
    const running = this.running.get(node);
    if (running) return running;
    if (this.stopped) return Promise.resolve();
    const started = this.ask(shard, node).finally(() => this.running.delete(node));
    this.running.set(node, started);
    return started;
  }

  /** A probe that begins now: one that is under way may have seen what was before. Never rejects. */
  async probeAnew(shard: Shard, node: DatabaseNode): Promise<void> {
    await this.running.get(node);
    await this.probe(shard, node);
  }

  private async all(): Promise<void> {
    await Promise.all(this.shards.flatMap((shard) => shard.nodes.map((node) => this.probe(shard, node))));
  }

  private async ask(shard: Shard, node: DatabaseNode): Promise<void> {
    try {
      const changed = node.state.answered(await node.probe());
      const role = node.state.standby ? 'standby' : 'primary';
      if (changed) this.logger.log(`Shard ${shard.name}: ${node.name} is up, a ${role}.`);
    } catch (error) {
      const { message } = error as Error;
      if (node.failed(error)) this.logger.warn(`Shard ${shard.name}: ${node.name} is down: ${message}`);
      else if (node.state.isUp && !this.stopped) return this.ask(shard, node); // in doubt: the next answer decides
    }
    shard.refresh(performance.now());
    if (shard.primary === node) this.timelines.note(shard);
  }
}
