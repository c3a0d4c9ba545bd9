/**
 * Whether a job that a worker has picked up may begin now: by the fair order of its class, and by its tenant's limit of running
 * jobs. One that may not goes back to BullMQ, which then hands out the next. While Redis does not answer, jobs begin:
 * what cannot be told is better done than dropped.
 */
import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isUuid } from '#libs/kernel';
import { Directory, type Organization } from '#libs/tenancy';
import { DelayedError, type Job, type Queue, WaitingError } from 'bullmq';
import { FairOrder, jobLength } from '../fair/fair-order';
import type { JobClass } from '../job-class';
import { JobRegistry } from '../registry/job-registry';
import { ASIDE_MS, type RunningJob, RunningJobs } from '../running/running-jobs';

/** A job that has begun. */
export interface Turn {
  /** Call once, when it has ended for this worker. Never rejects. */
  end(): Promise<void>;
}

const FREE: Turn = { end: () => Promise.resolve() };

@Injectable()
export class JobTurns {
  private readonly logger = new Logger('JobTurns');

  constructor(
    private readonly order: FairOrder,
    private readonly running: RunningJobs,
    private readonly registry: JobRegistry,
    private readonly directory: Directory,
    private readonly modules: ModuleRef,
  ) {}

  /** Throws BullMQ's WaitingError or DelayedError for a job that it has put back. */
  async take(job: Job, token: string | undefined): Promise<Turn> {
    const { organization_id, tag } = job.data as { readonly organization_id?: unknown; readonly tag?: unknown };
    if (typeof organization_id !== 'string' || !isUuid(organization_id)) return FREE; // the runner refuses it
    try {
      const located = this.directory.locate(organization_id);
      const organization = (located instanceof Promise ? await located : located)?.organization;
      if (!organization) return FREE;
      const isFirstPick = job.attemptsStarted <= 1 && job.stalledCounter === 0 && typeof tag === 'number';
      if (isFirstPick) this.order.begun(classOf(job), tag);
      else await this.waitForTurn(job, organization, token);
      return await this.waitForSlot(job, organization, token);
    } catch (error) {
      if (error instanceof WaitingError || error instanceof DelayedError) throw error;
      this.logger.debug({ err: error }, 'Nobody says whose turn it is');
      return FREE;
    }
  }

  /** Before a job that has begun goes back. `keepsPlace`: it was not its fault, and its next pick is for free. */
  async givesBack(job: Job, { keepsPlace }: { readonly keepsPlace: boolean }): Promise<void> {
    try {
      await this.order.setAside(classOf(job), job.id!, keepsPlace ? job.attemptsStarted + 1 : 0);
    } catch (error) {
      this.logger.debug({ err: error }, 'A job goes back with its old place');
    }
  }

  private async waitForTurn(job: Job, { id, limits }: Organization, token: string | undefined): Promise<void> {
    const jobClass = classOf(job);
    const length = jobLength(this.registry.find(job.name)?.cost ?? 1, limits.schedulingWeight);
    const arrival = { organizationId: id, length };
    if (await this.order.mayBegin(jobClass, job.id!, job.attemptsStarted, arrival)) return;
    await job.moveToWait(token);
    await this.order.placed(jobClass, job.id!);
    throw new WaitingError();
  }

  private async waitForSlot(job: Job, { id, limits }: Organization, token: string | undefined): Promise<Turn> {
    const running: RunningJob = {
      jobClass: classOf(job),
      organizationId: id,
      jobId: job.id!,
      limit: limits.maxRunningJobs,
    };
    if (await this.running.begin(running)) return { end: () => this.end(running) };
    await this.order.setAside(running.jobClass, running.jobId, job.attemptsStarted + 1);
    await job.moveToDelayed(Date.now() + ASIDE_MS, token);
    if (await this.running.setAside(running)) await this.callBack(running.jobClass, [running.jobId]);
    throw new DelayedError();
  }

  private async end(running: RunningJob): Promise<void> {
    try {
      await this.callBack(running.jobClass, await this.running.done(running));
    } catch (error) {
      this.logger.debug({ err: error }, 'The slot of a job will come back by itself');
    }
  }

  /** One that is gone or waits already is none the less called. */
  private async callBack(jobClass: JobClass, jobIds: readonly string[]): Promise<void> {
    const queue = this.modules.get<Queue>(getQueueToken(jobClass), { strict: false });
    for (const id of jobIds) {
      const job = await queue.getJob(id);
      await job?.promote().catch(() => undefined);
    }
  }
}

function classOf({ queueName }: Job): JobClass {
  return queueName as JobClass;
}
