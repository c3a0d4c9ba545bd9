/** How much work waits in each queue. Reads only; it makes no queue and keeps no connection of its own. */
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import type { QueueDepth } from '#libs/messaging';
import { JOB_CLASSES, queuePrefix, readQueueLoad } from '#libs/queues';
import { QUEUE_REDIS, type RedisClient } from '#libs/redis';
import { Queue } from 'bullmq';

@Injectable()
export class QueueDepthsRepository implements OnModuleDestroy {
  private queues: readonly Queue[] | undefined;

  constructor(
    @Inject(QUEUE_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** Rejects while the queue's Redis is away. */
  async depths(): Promise<QueueDepth[]> {
    // This client waits for its server, and would keep every question of an outage for later.
    if (this.redis.status !== 'ready') throw new Error('The Redis of the queues is away.');
    this.queues ??= JOB_CLASSES.map((name) => this.open(name));
    return Promise.all(this.queues.map((queue) => this.depth(queue)));
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all((this.queues ?? []).map((queue) => queue.close().catch(() => undefined)));
  }

  private open(name: string): Queue {
    const queue = new Queue(name, {
      connection: this.redis,
      prefix: queuePrefix(this.config, name),
      skipMetasUpdate: true,
    });
    queue.on('error', () => undefined); // the client reports its outages itself
    return queue;
  }

  private async depth(queue: Queue): Promise<QueueDepth> {
    return { job_class: queue.name, ...(await readQueueLoad(this.redis, this.config, queue)) };
  }
}
