/**
 * The relay of one shard. Loop: take a batch → add to the queues → mark published → next batch at once if this one was full,
 * else wait for a hint or the poll. When Redis or the database is away the rows stay, and the loop backs off up to 5 s and
 * resumes by itself. A crash between adding and marking adds again; the job's id makes that one job, and its row one effect.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;

export interface ShardRelayOptions {
  readonly shard: string;
  /** Rows of a batch. */
  readonly batch: number;
  /** Longest pause without a hint. */
  readonly pollMs: number;
  /** Publishes one batch; resolves with the number of rows. */
  readonly relay: () => Promise<number>;
}

export class ShardRelay {
  private readonly logger = new Logger('OutboxRelay');
  private readonly stopping = new AbortController();
  private nap = new AbortController();
  private loop: Promise<void> | undefined;
  private failures = 0;

  constructor(private readonly options: ShardRelayOptions) {}

  start(): void {
    this.loop ??= this.run();
  }

  /** There are new rows: look now. */
  wake(): void {
    this.nap.abort();
  }

  /** Finishes the batch at hand and stops. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.nap = new AbortController(); // before the look: a hint that comes during it counts for the next
      await this.sleep(await this.step());
    }
  }

  /** Relays a batch; resolves with the pause that follows, in milliseconds. */
  private async step(): Promise<number> {
    const { shard, relay, batch, pollMs } = this.options;
    try {
      const published = await relay();
      if (this.failures > 0) this.logger.log({ shard }, 'The relay publishes again.');
      this.failures = 0;
      return published === batch ? 0 : pollMs;
    } catch (error) {
      if (this.failures === 0) this.logger.warn({ shard, err: error }, 'The relay cannot publish; outbox rows wait');
      this.failures += 1;
      return Math.min(FIRST_BACKOFF_MS * 2 ** this.failures, LONGEST_BACKOFF_MS) * (0.5 + Math.random() / 2);
    }
  }

  private async sleep(ms: number): Promise<void> {
    // While it fails, hints do not shorten the pause: they would turn the backoff into a storm.
    const signal = this.failures > 0 ? this.stopping.signal : AbortSignal.any([this.stopping.signal, this.nap.signal]);
    if (ms > 0) await delay(ms, undefined, { signal }).catch(() => undefined);
  }
}
