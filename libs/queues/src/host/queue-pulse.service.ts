/**
 * What a worker tells the others while it works: its name on the roll, the leases of what it runs, and how far its jobs have
 * come in the fair order. Redis being away is no reason to stop; it hears everything with the next beat.
 */
import { Inject, Injectable, Logger } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { FairOrder } from '../fair/fair-order';
import { JobTurns } from './job-turns';
import { RunningJobs } from '../running/running-jobs';
import { CALL_MS, WorkerRoll } from '../running/worker-roll';

const TELL_MS = 100;

@Injectable()
export class QueuePulse {
  private readonly logger = new Logger('QueuePulse');
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly order: FairOrder,
    private readonly running: RunningJobs,
    private readonly roll: WorkerRoll,
    private readonly turns: JobTurns,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'QUEUE_LOCK_MS'>,
  ) {}

  /** Resolves when jobs may begin: the other workers, if there are any, have heard of this one. */
  async start(): Promise<void> {
    await this.attempt(() => this.roll.call());
    const renewMs = Math.min(CALL_MS, Math.floor(this.config.QUEUE_LOCK_MS / 4));
    this.timers = [
      setInterval(() => void this.attempt(() => this.order.tell()), TELL_MS),
      setInterval(() => void this.attempt(() => this.beat()), renewMs),
    ];
    if (this.roll.hasOthers()) await new Promise((resolve) => this.timers.push(setTimeout(resolve, 1.5 * CALL_MS)));
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.attempt(() => this.order.tell());
    await this.attempt(() => this.roll.leave());
  }

  private async beat(): Promise<void> {
    await this.roll.call();
    await this.running.renew();
    await this.turns.callForgotten();
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.debug({ err: error }, 'Redis is away');
    }
  }
}
