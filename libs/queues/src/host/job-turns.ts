/**
 * Whether a job that a worker has picked up may begin now: by the fair order of its class, and by its tenant's limit of running
 * jobs. One that may not goes back to BullMQ, which then hands out the next. While Redis does not answer, jobs begin:
 * what cannot be told is better done than dropped.
 */
import { getQueueToken } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isUuid } from '#libs/kernel';
import { Directory, type LocatedOrganization, type Organization } from '#libs/tenancy';
import { DelayedError, type Job, type Queue, WaitingError } from 'bullmq';
import { FairOrder, jobLength } from '../fair/fair-order';
import type { JobClass } from '../job-class';
import { JobRegistry } from '../registry/job-registry';
import { ASIDE_MS, type RunningJob, RunningJobs } from '../running/running-jobs';

/** A job that has begun. */
export interface Turn {
  /** Call once, when it has ended for this worker. Never rejects. */
  end(): Promise<void> | void;
}

type Tenant = Pick<RunningJob, 'jobClass' | 'organizationId'>;

/** What is known already of a job that cannot begin at once. */
interface Pending {
  readonly located: LocatedOrganization | undefined | Promise<LocatedOrganization | undefined>;
  readonly isFirstPick: boolean;
  readonly running?: RunningJob;
  readonly begins?: boolean | Promise<boolean>;
}

const FREE: Turn = { end: () => undefined };

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

  /**
   * Rejects with BullMQ's WaitingError or DelayedError for a job that it has put back. At once in the common case: picked for
   * the first time, in its tag's order, of a tenant whose limit does not bind.
   */
  take(job: Job, token: string | undefined): Turn | Promise<Turn> {
    const { organization_id, tag } = job.data as { readonly organization_id?: unknown; readonly tag?: unknown };
    if (typeof organization_id !== 'string' || !isUuid(organization_id)) return FREE; // the runner refuses it
    const isFirstPick = job.attemptsStarted <= 1 && job.stalledCounter === 0 && typeof tag === 'number';
    if (isFirstPick) this.order.begun(classOf(job), tag);
    const located = this.directory.locate(organization_id);
    if (!isFirstPick || located instanceof Promise) return this.wait(job, token, { located, isFirstPick });
    const running = runningOf(job, located.organization);
    const begins = this.running.begin(running);
    return begins === true ? this.turnOf(running) : this.wait(job, token, { located, isFirstPick, running, begins });
  }

  /** Calls back jobs that were set aside and have room although nobody called them. */
  async callForgotten(): Promise<void> {
    for (const job of await this.running.forgotten()) await this.callBack(job, [job.jobId]);
  }

  /** Before a job that has begun goes back. `keepsPlace`: it was not its fault, and its next pick is for free. */
  async givesBack(job: Job, { keepsPlace }: { readonly keepsPlace: boolean }): Promise<void> {
    try {
      await this.order.setAside(classOf(job), job.id!, keepsPlace ? job.attemptsStarted + 1 : 0);
    } catch (error) {
      this.logger.debug({ err: error }, 'A job goes back with its old place');
    }
  }

  private async wait(job: Job, token: string | undefined, pending: Pending): Promise<Turn> {
    try {
      const organization = (await pending.located)?.organization;
      if (!organization) return FREE;
      if (!pending.isFirstPick) await this.waitForTurn(job, organization, token);
      const running = pending.running ?? runningOf(job, organization);
      if (await (pending.begins ?? this.running.begin(running))) return this.turnOf(running);
      await this.setAside(job, running, token);
    } catch (error) {
      if (error instanceof WaitingError || error instanceof DelayedError) throw error;
      this.logger.debug({ err: error }, 'Nobody says whose turn it is');
      return FREE;
    }
    throw new DelayedError();
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

  private async setAside(job: Job, running: RunningJob, token: string | undefined): Promise<void> {
    await this.order.setAside(running.jobClass, running.jobId, job.attemptsStarted + 1);
    await job.moveToDelayed(Date.now() + ASIDE_MS, token);
    try {
      if (await this.running.setAside(running)) await this.callBack(running, [running.jobId]);
    } catch (error) {
      this.logger.debug({ err: error }, 'A job that was set aside comes back by itself');
    }
  }

  private turnOf(running: RunningJob): Turn {
    return { end: () => this.end(running) };
  }

  private end(running: RunningJob): Promise<void> | void {
    const called = this.running.done(running);
    if (called instanceof Promise) return this.callBackWhenKnown(running, called);
  }

  private async callBackWhenKnown(ended: RunningJob, called: Promise<readonly string[]>): Promise<void> {
    try {
      await this.callBack(ended, await called);
    } catch (error) {
      this.logger.debug({ err: error }, 'The slot of a job will come back by itself');
    }
  }

  /** One that has begun, or is gone, needs no call; one that waits already begins with its turn. */
  private async callBack({ jobClass, organizationId }: Tenant, jobIds: readonly string[]): Promise<void> {
    const queue = this.modules.get<Queue>(getQueueToken(jobClass), { strict: false });
    for (const jobId of jobIds) {
      const job = await queue.getJob(jobId);
      const state = await job?.getState();
      if (job && state === 'delayed') await job.promote().catch(() => undefined);
      else if (state !== 'prioritized' && state !== 'waiting') {
        await this.running.forget({ jobClass, organizationId, jobId });
      }
    }
  }
}

function runningOf(job: Job, { id, limits }: Organization): RunningJob {
  return { jobClass: classOf(job), organizationId: id, jobId: job.id!, limit: limits.maxRunningJobs };
}

function classOf({ queueName }: Job): JobClass {
  return queueName as JobClass;
}
