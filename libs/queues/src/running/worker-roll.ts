/** Which workers there are, and how many jobs of each class they can run together. Each calls its name once a second. */
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { LuaScript } from '#libs/redis';
import type { Redis } from 'ioredis';
import { PRODUCER_REDIS } from '../connection/queue-connection';
import { rollKey } from '../fair/fair-keys';
import { classConcurrency, JOB_CLASSES, type JobClass } from '../job-class';

/** How often a worker calls its name. Who joins waits for longer than this before its first job. */
export const CALL_MS = 1_000;
const FORGOTTEN_MS = 5_000;

const ROLL = LuaScript.fromFile<[slots: number, workers: number]>(join(__dirname, 'roll.lua'), 1);

export interface ClassRoll {
  /** Jobs that all workers together can run at once. */
  readonly slots: number;
  readonly workers: number;
}

/** What the roll says of a class; asks Redis, takes no part. */
export async function readRoll(redis: Redis, prefix: string, jobClass: JobClass): Promise<ClassRoll> {
  const [slots, workers] = await ROLL.run(redis, [rollKey(prefix, jobClass), '', 0, FORGOTTEN_MS]);
  return { slots, workers };
}

@Injectable()
export class WorkerRoll {
  private readonly id = newId();
  private readonly own: Readonly<Record<JobClass, number>>;
  private readonly seen = new Map<JobClass, ClassRoll>();

  constructor(
    @Inject(PRODUCER_REDIS) private readonly redis: Redis,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {
    this.own = classConcurrency(config);
  }

  /** Of all workers, as last heard; never less than this one's own. */
  slots(jobClass: JobClass): number {
    return Math.max(this.seen.get(jobClass)?.slots ?? 0, this.own[jobClass]);
  }

  /** Whether other workers were on the roll of a class at the last call. */
  hasOthers(): boolean {
    return [...this.seen.values()].some(({ workers }) => workers > 1);
  }

  /** Calls this worker's name and hears those of the others. */
  call(): Promise<void> {
    return this.say(this.own);
  }

  /** This worker takes no more jobs. */
  leave(): Promise<void> {
    return this.say({ critical: 0, high: 0, normal: 0, low: 0, bulk: 0 });
  }

  private async say(slots: Readonly<Record<JobClass, number>>): Promise<void> {
    const calls = JOB_CLASSES.map((jobClass) => {
      return [rollKey(this.config.REDIS_KEY_PREFIX, jobClass), this.id, slots[jobClass], FORGOTTEN_MS];
    });
    const replies = await ROLL.runAll(this.redis, calls);
    for (const [index, [all, workers]] of replies.entries())
      this.seen.set(JOB_CLASSES[index]!, { slots: all, workers });
  }
}
