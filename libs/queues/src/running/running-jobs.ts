/**
 * How many jobs of one tenant run at once in a class, over all workers: a semaphore of leases in Redis. Where a tenant's limit
 * is beyond what all workers together can run it cannot bind, and nothing is counted: the common case costs no call.
 *
 * State of a job: begun (leased, renewed while it runs) → done (frees its slot, calls back one that was set aside), or
 * set aside at the limit → called back. Exact as long as each worker reaches Redis once in a lease; a worker that joins
 * is on the roll before it begins, so that the others count what they run by then (WorkerRoll).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { LuaScript } from '#libs/redis';
import type { Redis } from 'ioredis';
import { PRODUCER_REDIS } from '../connection/queue-connection';
import { runningKeys } from '../fair/fair-keys';
import type { JobClass } from '../job-class';
import { WorkerRoll } from './worker-roll';

/** How long a job that was set aside waits at most without being called, for instance because the caller died. */
export const ASIDE_MS = 600_000;

const SLOTS = readFileSync(join(__dirname, 'slots.lua'), 'utf8');
const script = <Reply>(name: string): LuaScript<Reply> =>
  new LuaScript<Reply>(`${SLOTS}\n${readFileSync(join(__dirname, name), 'utf8')}`, 2);

const BEGIN = script<0 | 1>('begin.lua');
const RENEW = script<number>('renew.lua');
const SET_ASIDE = script<0 | 1>('set-aside.lua');
const DONE = script<string[]>('done.lua');

export interface RunningJob {
  readonly jobClass: JobClass;
  readonly organizationId: string;
  /** BullMQ's. */
  readonly jobId: string;
  /** `max_running_jobs` of the tenant. */
  readonly limit: number;
}

@Injectable()
export class RunningJobs {
  /** What this process runs, and whether Redis has been told. */
  private readonly jobs = new Map<RunningJob, boolean>();

  constructor(
    @Inject(PRODUCER_REDIS) private readonly redis: Redis,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX' | 'QUEUE_LOCK_MS'>,
    private readonly roll: WorkerRoll,
  ) {}

  /** False at the limit. */
  async begin(job: RunningJob): Promise<boolean> {
    const counted = this.binds(job);
    if (counted && (await BEGIN.run(this.redis, [...this.slots(job), job.jobId, this.config.QUEUE_LOCK_MS])) === 0) {
      return false;
    }
    this.jobs.set(job, counted);
    return true;
  }

  /** After BullMQ has delayed a job for ASIDE_MS because of the limit. True: there is room by now, call it back. */
  async setAside(job: RunningJob): Promise<boolean> {
    return (await SET_ASIDE.run(this.redis, [...this.slots(job), job.jobId, ASIDE_MS])) === 1;
  }

  /** Resolves with the ids of jobs to call back. */
  async done(job: RunningJob): Promise<readonly string[]> {
    const counted = this.jobs.get(job) ?? false;
    this.jobs.delete(job);
    return counted ? DONE.run(this.redis, [...this.slots(job), job.jobId]) : [];
  }

  /** Renews the leases of what runs here; several times in QUEUE_LOCK_MS. */
  async renew(): Promise<void> {
    const tenants = new Map<string, RunningJob[]>();
    for (const [job, counted] of this.jobs) {
      if (!counted && !this.binds(job)) continue;
      const key = `${job.jobClass} ${job.organizationId}`;
      tenants.set(key, [...(tenants.get(key) ?? []), job]);
      this.jobs.set(job, true);
    }
    const calls = [...tenants.values()].map((jobs) => [
      ...this.slots(jobs[0]!),
      this.config.QUEUE_LOCK_MS,
      ...jobs.map(({ jobId }) => jobId),
    ]);
    await RENEW.runAll(this.redis, calls);
  }

  private binds({ jobClass, limit }: RunningJob): boolean {
    return limit < this.roll.slots(jobClass);
  }

  private slots({ jobClass, organizationId, limit }: RunningJob): (string | number)[] {
    return [...runningKeys(this.config.REDIS_KEY_PREFIX, jobClass, organizationId), limit];
  }
}
