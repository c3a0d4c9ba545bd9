/** Which workers there are, how many jobs of each class they run together, and how long those take. Each calls once a second. */
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { LuaScript, type RedisClient } from '#libs/redis';
import { PRODUCER_REDIS } from '../connection/queue-connection';
import { ClassKeys } from '../fair/fair-keys';
import { classConcurrency, JOB_CLASSES, type JobClass } from '../job-class';

/** How often a worker calls its name. Who joins waits for longer than this before its first job. */
export const CALL_MS = 1_000;
const FORGOTTEN_MS = 5_000;

/** Weight of the newest job in the smoothed service time: some twenty jobs count. */
const SMOOTHING = 0.05;

type Reply = [slots: number, workers: number, serviceMs: string];

const ROLL = LuaScript.fromFile<Reply>(join(__dirname, 'roll.lua'), 1);

export interface ClassRoll {
  /** Jobs that all workers together can run at once. */
  readonly slots: number;
  readonly workers: number;
  /** Exponentially smoothed time that a job of the class takes; null before the first has been done. */
  readonly serviceMs: number | null;
}

function rollOf([slots, workers, serviceMs]: Reply): ClassRoll {
  return { slots, workers, serviceMs: serviceMs === '' ? null : Number(serviceMs) };
}

/** What the roll says of a class; asks Redis, takes no part. */
export async function readRoll(redis: RedisClient, keys: ClassKeys, jobClass: JobClass): Promise<ClassRoll> {
  return rollOf(await ROLL.run(redis, [keys.roll(jobClass), '', 0, FORGOTTEN_MS, '']));
}

@Injectable()
export class WorkerRoll {
  private readonly id = newId();
  private readonly own: Readonly<Record<JobClass, number>>;
  private readonly seen = new Map<JobClass, ClassRoll>();
  private readonly service = new Map<JobClass, number>();
  private readonly keys: ClassKeys;

  constructor(
    @Inject(PRODUCER_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.keys = new ClassKeys(config);
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

  /** A job of the class has been run here, in so many milliseconds. */
  served(jobClass: JobClass, ms: number): void {
    const before = this.service.get(jobClass) ?? ms;
    this.service.set(jobClass, before + SMOOTHING * (ms - before));
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
      const service = this.service.get(jobClass)?.toFixed(3) ?? '';
      return [this.keys.roll(jobClass), this.id, slots[jobClass], FORGOTTEN_MS, service];
    });
    const replies = await ROLL.runAll(this.redis, calls);
    for (const [index, reply] of replies.entries()) this.seen.set(JOB_CLASSES[index]!, rollOf(reply));
  }
}
