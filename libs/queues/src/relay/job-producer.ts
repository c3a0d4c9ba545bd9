/** Puts work into the BullMQ queues, in fair order. Adding the same work again changes nothing while the queue still knows it. */
import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Directory } from '#libs/tenancy';
import type { Queue } from 'bullmq';
import { FairOrder, jobLength, TAGGED_LATER } from '../fair/fair-order';
import type { Tag } from '../fair/tags';
import { JOB_CLASSES, type JobClass } from '../job-class';
import { JOB_QUEUED } from '../jobs/job';
import { JobRegistry } from '../registry/job-registry';
import { type OutboxMessage, type QueuedWork, TopicRegistry } from '../registry/topic-registry';

/** Finished jobs are kept briefly, for a look: what counts stands in the tables. Ages in seconds. */
const KEEP_COMPLETED = { age: 3_600, count: 100 };
const KEEP_FAILED = { age: 24 * 3_600 };
/** Of a wait before another attempt, so that what failed together does not come back together. */
const JITTER = 0.2;

/** Where a type that this release does not know is sent, to be refused there in its tenant's sight. */
const UNKNOWN = { class: 'low', attempts: 1, backoffMs: 1_000, cost: 1 } as const;

@Injectable()
export class JobProducer implements OnModuleInit {
  private readonly queues = new Map<JobClass, Queue>();

  constructor(
    private readonly registry: JobRegistry,
    private readonly topics: TopicRegistry,
    private readonly order: FairOrder,
    private readonly directory: Directory,
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
      if (own.length > 0) await this.addTo(jobClass, queue, own);
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
  workOf({ payload }: Pick<OutboxMessage, 'payload'>): QueuedWork {
    const checked = JOB_QUEUED.validate(payload);
    if (checked.issues) throw new Error(`A job.queued message is not readable: ${checked.issues[0]!.message}`);
    const { attempts: given, run_at, ahead_of, ...data } = checked.value;
    const { class: jobClass, attempts, backoffMs, cost } = this.registry.find(data.type) ?? UNKNOWN;
    return {
      ...{
        class: jobClass,
        name: data.type,
        jobId: bullJobId(data.job_id, data.round),
        data,
        organizationId: data.organization_id,
      },
      ...{ cost, attempts: given ?? attempts, backoffMs },
      ...(run_at !== undefined && { runAt: new Date(run_at) }),
      ...(ahead_of && { aheadOf: ahead_of.map((id) => bullJobId(id)) }),
    };
  }

  private async addTo(jobClass: JobClass, queue: Queue, works: readonly QueuedWork[]): Promise<void> {
    const now = Date.now();
    const due = works.filter((work) => !isDelayed(work, now));
    const later = works.filter((work) => isDelayed(work, now));
    const tags = due.length > 0 ? await this.order.tag(jobClass, await this.arrivals(due)) : [];
    await queue.addBulk([
      ...due.map((work, index) => taggedJob(work, tags[index]!)),
      ...later.map((work) => delayedJob(work, now)),
    ]);
    for (const { jobId, aheadOf } of due) if (aheadOf) await this.order.swap(jobClass, jobId, aheadOf);
  }

  private async arrivals(works: readonly QueuedWork[]) {
    const weights = new Map<string, number>();
    for (const { organizationId } of works) {
      if (weights.has(organizationId)) continue;
      weights.set(organizationId, (await this.directory.find(organizationId))?.limits.schedulingWeight ?? 1);
    }
    return works.map(({ organizationId, cost }) => {
      return { organizationId, length: jobLength(cost, weights.get(organizationId)!) };
    });
  }
}

/** Of the job with this id in the tables; another one a round, as BullMQ may still know the last. It takes no colon and no whole number. */
function bullJobId(id: string, round = 0): string {
  return round === 0 ? `job-${id}` : `job-${id}-${round}`;
}

function isDelayed({ runAt }: QueuedWork, now: number): boolean {
  return runAt !== undefined && runAt.getTime() > now;
}

function taggedJob(work: QueuedWork, { tag, priority }: Tag) {
  const { name, data } = work;
  return { name, data: { ...data, tag }, opts: { ...options(work), priority } };
}

function delayedJob(work: QueuedWork, now: number) {
  const { name, data, runAt } = work;
  return { name, data, opts: { ...options(work), delay: runAt!.getTime() - now, priority: TAGGED_LATER } };
}

/** The traceparent where BullMQ keeps such things, not in the data: a worker of a release that knows none passes over it. */
function options({ jobId, attempts, backoffMs, traceparent }: QueuedWork) {
  return {
    ...(traceparent !== undefined && { telemetry: { metadata: traceparent } }),
    jobId,
    attempts,
    backoff: { type: 'exponential', delay: backoffMs, jitter: JITTER },
    removeOnComplete: KEEP_COMPLETED,
    removeOnFail: KEEP_FAILED,
  };
}
