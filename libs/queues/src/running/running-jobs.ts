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
import { LuaScript, type RedisClient } from '#libs/redis';
import { PRODUCER_REDIS, type QueueNaming } from '../connection/queue-connection';
import { ClassKeys } from '../fair/fair-keys';
import { JOB_CLASSES, type JobClass } from '../job-class';
import { CALL_MS, WorkerRoll } from './worker-roll';

/** How long a job that was set aside waits at most without being called, for instance because the caller died. */
export const ASIDE_MS = 600_000;

const SLOTS = readFileSync(join(__dirname, 'slots.lua'), 'utf8');
const script = <Reply>(name: string): LuaScript<Reply> =>
  new LuaScript<Reply>(`${SLOTS}\n${readFileSync(join(__dirname, name), 'utf8')}`, 3);

const BEGIN = script<0 | 1>('begin.lua');
const RENEW = script<number>('renew.lua');
const SET_ASIDE = script<0 | 1>('set-aside.lua');
const DONE = script<string[]>('done.lua');

/** Tenants with jobs set aside that a worker looks at each second. */
const LOOKED_AT = 20;

const NOBODY: readonly string[] = [];

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
  private readonly keys: ClassKeys;

  constructor(
    @Inject(PRODUCER_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: QueueNaming & Pick<AppConfig, 'QUEUE_LOCK_MS'>,
    private readonly roll: WorkerRoll,
  ) {
    this.keys = new ClassKeys(config);
  }

  /** False at the limit. At once where the limit does not bind. */
  begin(job: RunningJob): boolean | Promise<boolean> {
    if (this.binds(job)) return this.beginCounted(job);
    this.jobs.set(job, false);
    return true;
  }

  /** After BullMQ has delayed a job for ASIDE_MS because of the limit. True: there is room by now, call it back. */
  async setAside(job: RunningJob): Promise<boolean> {
    return (await SET_ASIDE.run(this.redis, [...this.slots(job), job.jobId, ASIDE_MS, job.organizationId])) === 1;
  }

  /** One that was set aside is not there any more, or needs no call. */
  async forget({ jobClass, organizationId, jobId }: Omit<RunningJob, 'limit'>): Promise<void> {
    await this.redis.zrem(this.keys.running(jobClass, organizationId)[1], jobId);
  }

  /** The ids of jobs to call back. At once for one that was not counted. */
  done(job: RunningJob): readonly string[] | Promise<readonly string[]> {
    const counted = this.jobs.get(job) ?? false;
    this.jobs.delete(job);
    return counted ? DONE.run(this.redis, [...this.slots(job), job.jobId, job.organizationId, 0]) : NOBODY;
  }

  /** Renews the leases of what runs here; several times in QUEUE_LOCK_MS. */
  async renew(): Promise<void> {
    const tenants = new Map<string, { readonly fresh: RunningJob[]; readonly counted: RunningJob[] }>();
    for (const [job, counted] of this.jobs) {
      if (!counted && !this.binds(job)) continue;
      const key = `${job.jobClass} ${job.organizationId}`;
      const jobs = tenants.get(key) ?? { fresh: [], counted: [] };
      jobs[counted ? 'counted' : 'fresh'].push(job);
      tenants.set(key, jobs);
      this.jobs.set(job, true);
    }
    const calls = [...tenants.values()].map(({ fresh, counted }) => {
      const jobs = [...fresh, ...counted];
      const ids = jobs.map(({ jobId }) => jobId);
      return [...this.slots(jobs[0]!), this.config.QUEUE_LOCK_MS, fresh.length, ...ids];
    });
    await RENEW.runAll(this.redis, calls);
  }

  /**
   * Ids, by class, of jobs that were set aside and have room although nobody has called them lately: a slot came back by itself, or a
   * call was lost. Looks at some tenants; once a second.
   */
  async forgotten(): Promise<readonly Omit<RunningJob, 'limit'>[]> {
    const found: Omit<RunningJob, 'limit'>[] = [];
    for (const jobClass of JOB_CLASSES) {
      const some = await this.redis.hrandfield(this.keys.asides(jobClass), LOOKED_AT, 'WITHVALUES');
      const tenants = [...pairsOf((some ?? []) as string[])];
      const calls = tenants.map(([organizationId, limit]) => {
        return [...this.slots({ jobClass, organizationId, limit: Number(limit) }), '', organizationId, CALL_MS];
      });
      for (const [index, ids] of (await DONE.runAll(this.redis, calls)).entries()) {
        const organizationId = tenants[index]![0];
        found.push(...ids.map((jobId) => ({ jobClass, organizationId, jobId })));
      }
    }
    return found;
  }

  private async beginCounted(job: RunningJob): Promise<boolean> {
    const lease = [...this.slots(job), job.jobId, this.config.QUEUE_LOCK_MS];
    if ((await BEGIN.run(this.redis, lease)) === 0) return false;
    this.jobs.set(job, true);
    return true;
  }

  private binds({ jobClass, limit }: RunningJob): boolean {
    return limit < this.roll.slots(jobClass);
  }

  private slots({ jobClass, organizationId, limit }: Omit<RunningJob, 'jobId'>): (string | number)[] {
    return [...this.keys.running(jobClass, organizationId), this.keys.asides(jobClass), limit];
  }
}

function* pairsOf(flat: readonly string[]): Generator<readonly [string, string]> {
  for (let i = 0; i + 1 < flat.length; i += 2) yield [flat[i]!, flat[i + 1]!];
}
