/** Puts work into the BullMQ queues. Adding the same work again changes nothing while the queue still knows it. */
import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Queue } from 'bullmq';
import { JOB_CLASSES, type JobClass } from '../job-class';
import { JOB_REFERENCE } from '../jobs/job';
import { JobRegistry } from '../registry/job-registry';
import { type OutboxMessage, type QueuedWork, TopicRegistry } from '../registry/topic-registry';

/** Finished jobs are kept briefly, for a look: what counts stands in the tables. Ages in seconds. */
const KEEP_COMPLETED = { age: 3_600, count: 100 };
const KEEP_FAILED = { age: 24 * 3_600 };

/** Where a type that this release does not know is sent, to be refused there in its tenant's sight. */
const UNKNOWN = { class: 'low', attempts: 1, backoffMs: 1_000 } as const;

@Injectable()
export class JobProducer implements OnModuleInit {
  private readonly queues = new Map<JobClass, Queue>();

  constructor(
    private readonly registry: JobRegistry,
    private readonly topics: TopicRegistry,
    private readonly modules: ModuleRef,
  ) {}

  onModuleInit(): void {
    for (const jobClass of JOB_CLASSES) {
      const queue = this.modules.get<Queue>(getQueueToken(jobClass), { strict: false });
      queue.on('error', () => undefined); // the client's own listener reports that Redis is away
      this.queues.set(jobClass, queue);
    }
    this.topics.subscribe('job.queued', (message) => this.workOf(message));
  }

  /** Adds all or throws; after a throw it is safe to add all again. */
  async add(works: readonly QueuedWork[]): Promise<void> {
    for (const [jobClass, queue] of this.queues) {
      const own = works.filter((work) => work.class === jobClass);
      if (own.length > 0) await queue.addBulk(own.map(bullJob));
    }
  }

  /** Brings work back that the queue has lost or has finished without its row. Nothing happens while it is under way. */
  async restore(work: QueuedWork): Promise<boolean> {
    const queue = this.queues.get(work.class)!;
    const known = await queue.getJob(work.jobId);
    if (known && !(await known.isCompleted()) && !(await known.isFailed())) return false;
    await known?.remove();
    await this.add([work]);
    return true;
  }

  /** The work of a `job.queued` message. */
  workOf({ id, payload }: Pick<OutboxMessage, 'id' | 'payload'>): QueuedWork {
    const checked = JOB_REFERENCE.validate(payload);
    if (checked.issues) throw new Error(`A job.queued message is not readable: ${checked.issues[0]!.message}`);
    const data = checked.value;
    const { class: jobClass, attempts, backoffMs } = this.registry.find(data.type) ?? UNKNOWN;
    return { class: jobClass, name: data.type, jobId: `job-${id}`, data, attempts, backoffMs };
  }
}

function bullJob({ name, data, jobId, attempts, backoffMs }: QueuedWork) {
  return {
    name,
    data,
    opts: {
      jobId,
      attempts,
      backoff: { type: 'exponential', delay: backoffMs },
      removeOnComplete: KEEP_COMPLETED,
      removeOnFail: KEEP_FAILED,
    },
  };
}
