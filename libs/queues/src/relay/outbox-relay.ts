/**
 * The relay: moves outbox rows into the queues, in order, at least once. Any number of relays may run beside each other.
 *
 * Loop: take a batch → add to the queues → mark published → next batch at once if this one was full, else wait for a hint
 * or the poll. When Redis or the database is away the rows stay, and the loop backs off up to 5 s and resumes by itself.
 * A crash between adding and marking adds again; the job's id makes that one job, and the job's row one effect.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type OutboxMessage, type QueuedWork, TopicRegistry } from '../registry/topic-registry';
import { JobProducer } from './job-producer';
import { OutboxRepository } from './outbox.repository';

const BATCH = 200;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;

@Injectable()
export class OutboxRelay {
  private readonly logger = new Logger('OutboxRelay');
  private readonly stopping = new AbortController();
  private nap = new AbortController();
  private loop: Promise<void> | undefined;
  private failures = 0;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly producer: JobProducer,
    private readonly topics: TopicRegistry,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'OUTBOX_POLL_MS'>,
  ) {}

  start(): void {
    this.loop ??= this.run();
  }

  /** There are new rows: look now. Cheap, and may be called at any rate. */
  wake(): void {
    this.nap.abort();
  }

  /** Finishes the batch at hand and stops. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.loop;
  }

  /** One batch. Resolves with the number of rows that were published. */
  relayOnce(): Promise<number> {
    return this.outbox.publishNext(BATCH, (messages) =>
      this.producer.add(messages.flatMap((message) => this.work(message))),
    );
  }

  /** A message that no route can read is logged and passed: it must not hold up the rows behind it. */
  private work(message: OutboxMessage): QueuedWork[] {
    return this.topics.routes(message.topic).flatMap((route) => {
      try {
        return [route(message)];
      } catch (error) {
        this.logger.error(
          { outbox_id: message.id, topic: message.topic, err: error },
          'Outbox row has no readable work',
        );
        return [];
      }
    });
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.nap = new AbortController(); // before the look: a hint that comes during it counts for the next
      await this.sleep(await this.step());
    }
  }

  /** Relays a batch; resolves with the pause that follows, in milliseconds. */
  private async step(): Promise<number> {
    try {
      const published = await this.relayOnce();
      if (this.failures > 0) this.logger.log('The relay publishes again.');
      this.failures = 0;
      return published === BATCH ? 0 : this.config.OUTBOX_POLL_MS;
    } catch (error) {
      if (this.failures === 0) this.logger.warn({ err: error }, 'The relay cannot publish; outbox rows wait');
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
