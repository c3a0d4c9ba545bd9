/**
 * A tenant's jobs in the queues, for when the tenant goes. Reads every job of every queue: the queues know no tenants. Costs
 * about as many round trips as they hold thousands of jobs.
 */
import { getQueueToken } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Job, JobType, Queue } from 'bullmq';
import { JOB_CLASSES } from '../job-class';

const STATES: JobType[] = ['active', 'waiting', 'delayed', 'prioritized', 'completed', 'failed'];
const PAGE = 1_000;

export interface RemovedJobs {
  readonly removed: number;
  /** Jobs that a worker has at the moment; they end soon, for the tenant takes no writes. */
  readonly active: number;
}

@Injectable()
export class TenantJobs {
  constructor(private readonly modules: ModuleRef) {}

  /** Removes what can be removed. Nothing new may be on its way: the tenant's outbox is empty. */
  async removeAll(organizationId: string): Promise<RemovedJobs> {
    let removed = 0;
    let active = 0;
    for (const jobClass of JOB_CLASSES) {
      const queue = this.modules.get<Queue>(getQueueToken(jobClass), { strict: false });
      for (const job of await jobsOf(queue, organizationId)) {
        if (await wasRemoved(job)) removed += 1;
        else active += 1;
      }
    }
    return { removed, active };
  }
}

async function jobsOf(queue: Queue, organizationId: string): Promise<Job[]> {
  const found = new Map<string, Job>();
  for (const state of STATES) {
    for (let start = 0; ; start += PAGE) {
      const page = (await queue.getJobs([state], start, start + PAGE - 1)) as (Job | undefined)[];
      for (const job of page) if (job?.id && tenantOf(job) === organizationId) found.set(job.id, job);
      if (page.length < PAGE) break;
    }
  }
  return [...found.values()];
}

function tenantOf({ data }: Job): unknown {
  return (data as { organization_id?: unknown } | undefined)?.organization_id;
}

/** False while a worker holds the job's lock. */
async function wasRemoved(job: Job): Promise<boolean> {
  try {
    await job.remove();
    return true;
  } catch (error) {
    if (await job.isActive()) return false;
    throw error;
  }
}
