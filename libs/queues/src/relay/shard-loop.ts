/**
 * Work on one shard in batches: one batch after another, the next at once if this one was full, in a moment if others stood in
 * the way of a part of it, else after a hint or the poll. When what it needs is away, its rows stay, and the loop backs off up to 5 s and resumes by itself.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';

/** The loop of another process works on what stands in the way. */
const IN_A_MOMENT_MS = 10;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;

export interface ShardLoopOptions {
  readonly shard: string;
  /** Rows of a batch. */
  readonly batch: number;
  /** Longest pause without a hint. */
  readonly pollMs: number;
  /** Does one batch; resolves with the number of rows, or says that there are rows which it may take soon. */
  readonly step: () => Promise<number | 'blocked'>;
  /** For the log: who it is, and what it says when it begins and ceases to fail. */
  readonly name: string;
  readonly failing: string;
  readonly recovered: string;
}

export class ShardLoop {
  private readonly logger: Logger;
  private readonly stopping = new AbortController();
  private nap = new AbortController();
  private loop: Promise<void> | undefined;
  private failures = 0;

  constructor(private readonly options: ShardLoopOptions) {
    this.logger = new Logger(options.name);
  }

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

  /** Does a batch; resolves with the pause that follows, in milliseconds. */
  private async step(): Promise<number> {
    const { shard, step, batch, pollMs, failing, recovered } = this.options;
    try {
      const done = await step();
      if (this.failures > 0) this.logger.log({ shard }, recovered);
      this.failures = 0;
      if (done === 'blocked') return IN_A_MOMENT_MS * (0.5 + Math.random());
      return done === batch ? 0 : pollMs;
    } catch (error) {
      if (this.failures === 0) this.logger.warn({ shard, err: error }, failing);
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
