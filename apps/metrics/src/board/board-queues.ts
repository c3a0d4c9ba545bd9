/** The queues as the board reads them: over the connection that the process has, and without a way to change them. */
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { JOB_CLASSES, queuePrefix } from '#libs/queues';
import { QUEUE_REDIS, type RedisClient } from '#libs/redis';
import { Queue } from 'bullmq';

@Injectable()
export class BoardQueues implements OnModuleDestroy {
  private readonly queues: readonly Queue[];

  constructor(
    @Inject(QUEUE_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    const options = { connection: redis, skipMetasUpdate: true, skipVersionCheck: true };
    this.queues = JOB_CLASSES.map((name) => new Queue(name, { ...options, prefix: queuePrefix(config, name) }));
    for (const queue of this.queues) queue.on('error', () => undefined); // the client reports its outages itself
  }

  /** False while Redis is away: its client would keep every question for later. */
  get ready(): boolean {
    return this.redis.status === 'ready';
  }

  adapters(): BullMQAdapter[] {
    return this.queues.map((queue) => {
      const adapter = new BullMQAdapter(queue, { readOnlyMode: true });
      adapter.setFormatter('data', withoutToken);
      return adapter;
    });
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.close().catch(() => undefined)));
  }
}

/** What a job's data names, without the sealed token: whoever has that may claim to have seen what it stands for. */
function withoutToken(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).filter(([field]) => field !== 'consistency'));
}
