/**
 * Looks for due schedules on every shard, twice a second in every worker, and has them run. Nobody is the leader: workers hold
 * what they are at work on, and the tenant's own transaction decides. A worker that dies lets go with its connection.
 */
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { JobService, ShardLoop } from '#libs/queues';
import { DueSchedules, type DueSchedule } from './due-schedules.repository';
import { TickRun } from './tick-run.service';

const BATCH = 64;
/** Of a batch, at once: each takes a connection of the pool that jobs share. */
const LANES = 4;
const POLL_MS = 500;
/** For how long a schedule that could not be run stands back behind the others. */
const ASIDE_MS = 5_000;

@Injectable()
export class Scheduler implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Scheduler');
  private readonly loops: readonly ShardLoop[];
  private readonly aside = new Map<string, number>();

  constructor(
    private readonly due: DueSchedules,
    private readonly ticks: TickRun,
    private readonly jobs: JobService,
  ) {
    this.loops = due.shardNames().map(
      (shard) =>
        new ShardLoop({
          ...{ name: 'Scheduler', shard, batch: BATCH, pollMs: POLL_MS, step: () => this.runShard(shard) },
          failing: 'Due schedules cannot be read; they wait',
          recovered: 'Due schedules are read again.',
        }),
    );
  }

  /** Call once, after `app.init()`. */
  start(): void {
    for (const loop of this.loops) loop.start();
  }

  /** Finishes the ticks at hand. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /** One batch of each shard. Resolves with the number of schedules that were looked at. */
  async runOnce(): Promise<number> {
    let seen = 0;
    for (const shard of this.due.shardNames()) seen += await this.runShard(shard);
    return seen;
  }

  private runShard(shard: string): Promise<number> {
    const now = performance.now();
    for (const [id, until] of this.aside) if (until <= now) this.aside.delete(id);
    const except = [...this.aside.keys()];
    return this.due.claim({ shard, limit: BATCH, except }, async (due) => {
      const queue = [...due];
      await Promise.all(Array.from({ length: LANES }, () => this.work(queue)));
    });
  }

  private async work(queue: DueSchedule[]): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) await this.run(next);
  }

  private async run(due: DueSchedule): Promise<void> {
    try {
      const outcome = await this.ticks.run(due);
      if (outcome === 'ran') this.jobs.announce();
      if (outcome === 'left') this.aside.set(due.id, performance.now() + ASIDE_MS);
    } catch (error) {
      this.aside.set(due.id, performance.now() + ASIDE_MS);
      const { id, organizationId: organization_id } = due;
      this.logger.warn({ schedule_id: id, organization_id, err: error }, 'A schedule could not be run; it waits');
    }
  }
}
