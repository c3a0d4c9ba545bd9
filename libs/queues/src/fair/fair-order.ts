/**
 * The order of a class's jobs among tenants: start-time fair queueing (Goyal, Vin, Cheng, "Start-time Fair Queueing: A
 * Scheduling Algorithm for Integrated Services Packet Switching Networks", SIGCOMM 1996), with BullMQ's priorities as tags.
 *
 * With v the virtual time of the class, a job of cost c of a tenant of weight w is tagged at its arrival
 *
 *     start = max(v, finish of the tenant's job before it)      finish = start + c × UNIT / w
 *
 * and jobs run in the order of their start tags, first come first served among equal ones. v is the start tag of the newest job
 * that was begun; so who was idle saves nothing up, and who arrives late begins where the others are. For two tenants with jobs waiting throughout any interval, the costs begun in it, each divided
 * by its tenant's weight, differ by at most one longest job of each (theorem 1 of the paper), plus one unit of rounding.
 *
 * A job that comes up again (delayed, tried again, lost with its worker) arrives anew. State of a job:
 *   tagged → added → begun → done
 *   begun → set aside (looked at first when it is back) → begun, if that pick was paid for; else tagged anew → …
 * A relay that dies between tagging and adding has charged a batch that is tagged once more when another one relays it.
 * Rules, and how tags stay below 2²¹: clock.lua. Why: docs/adr/0009-fair-queues.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG } from '#libs/config';
import { LuaScript, type RedisClient } from '#libs/redis';
import { PRODUCER_REDIS, type QueueNaming } from '../connection/queue-connection';
import type { JobClass } from '../job-class';
import { ClassKeys } from './fair-keys';
import { type Arrival, runsOf, type Tag, tagsOf } from './tags';

/** Length of a job of cost 1 of a tenant of weight 1. A tenant may have 2¹⁹ ÷ UNIT of those waiting in order. */
export const UNIT = 8;

/** Of a job whose tag is made when a worker picks it up. */
export const TAGGED_LATER = 1;

const CLOCK = readFileSync(join(__dirname, 'clock.lua'), 'utf8');
const script = <Reply>(name: string): LuaScript<Reply> =>
  new LuaScript<Reply>(`${CLOCK}\n${readFileSync(join(__dirname, name), 'utf8')}`, 4);

const TAG = script<string[]>('tag.lua');
const BEGUN = script<string>('begun.lua');
const AGAIN = script<0 | 1>('again.lua');
const SWAP = script<0 | 1>('swap.lua');
const PLACED = script<0 | 1>('placed.lua');
const ASIDE = LuaScript.fromFile<0 | 1>(join(__dirname, 'aside.lua'), 1);

/** How far a job moves its tenant on. `cost` 1 is an ordinary job, `weight` that of the tier. */
export function jobLength(cost: number, weight: number): number {
  return (cost * UNIT) / weight;
}

@Injectable()
export class FairOrder {
  private readonly newest = new Map<JobClass, number>();
  private readonly keys: ClassKeys;

  constructor(
    @Inject(PRODUCER_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) naming: QueueNaming,
  ) {
    this.keys = new ClassKeys(naming);
  }

  /** Tags jobs that are about to be added; one tag each, in the same order. */
  async tag(jobClass: JobClass, arrivals: readonly Arrival[]): Promise<Tag[]> {
    const runs = runsOf(arrivals);
    const flat = runs.flatMap(({ organizationId, length, places }) => [organizationId, length, places.length]);
    return tagsOf(runs, await TAG.run(this.redis, [...this.clock(jobClass), ...flat]));
  }

  /** An urgent job that has been added changes places with the first of `others` that waits, if that is before it. */
  async swap(jobClass: JobClass, jobId: string, others: readonly string[]): Promise<void> {
    await SWAP.run(this.redis, [...this.clock(jobClass), jobId, ...others]);
  }

  /** A worker has begun a job with this tag for the first time. Costs nothing; tell() passes it on. */
  begun(jobClass: JobClass, tag: number): void {
    if (tag > (this.newest.get(jobClass) ?? -Infinity)) this.newest.set(jobClass, tag);
  }

  /** Tells how far this process's workers have come; several times a second, while they work. */
  async tell(): Promise<void> {
    for (const [jobClass, tag] of [...this.newest]) {
      this.newest.delete(jobClass);
      await BEGUN.run(this.redis, [...this.clock(jobClass), tag]);
    }
  }

  /** Whether a job that was picked up again may begin; otherwise it is put back, and then placed. */
  async mayBegin(
    jobClass: JobClass,
    jobId: string,
    picks: number,
    { organizationId, length }: Arrival,
  ): Promise<boolean> {
    return (await AGAIN.run(this.redis, [...this.clock(jobClass), jobId, picks, organizationId, length])) === 1;
  }

  /** After a job that may not begin yet has been put back. */
  async placed(jobClass: JobClass, jobId: string): Promise<void> {
    await PLACED.run(this.redis, [...this.clock(jobClass), jobId]);
  }

  /** Before a job is handed back or delayed. `paidPick`: its next pick begins without another tag. */
  async setAside(jobClass: JobClass, jobId: string, paidPick = 0): Promise<void> {
    await ASIDE.run(this.redis, [this.keys.fair(jobClass).jobPrefix + jobId, paidPick]);
  }

  private clock(jobClass: JobClass): string[] {
    const { clock, finish, prioritized, active, jobPrefix } = this.keys.fair(jobClass);
    return [clock, finish, prioritized, active, jobPrefix];
  }
}
