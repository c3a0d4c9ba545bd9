/**
 * Starts and stops everything that a worker does with the queues. Starting is a step of the app's, after its boot: no job
 * runs before every handler is known and the wall between tenants has been checked.
 */
import { BullRegistrar } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { JobPace } from '../pace/job-pace.service';
import { OutboxRelay } from '../relay/outbox-relay';
import { UpkeepService } from '../upkeep/upkeep.service';
import { ClassProcessor } from './class-processor';
import type { DrainingWorker } from './draining-worker';
import { QueuePulse } from './queue-pulse.service';

/** The rest of the grace is for closing pools and sockets. */
const SHARE_OF_GRACE = 0.8;

@Injectable()
export class QueueHost implements BeforeApplicationShutdown {
  private opening: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly registrar: BullRegistrar,
    private readonly relay: OutboxRelay,
    private readonly upkeep: UpkeepService,
    private readonly pulse: QueuePulse,
    private readonly pace: JobPace,
    private readonly discovery: DiscoveryService,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'SHUTDOWN_GRACE_MS'>,
  ) {}

  /** Call once, after `app.init()`. */
  start(): void {
    this.opening = this.open();
    this.relay.start();
    this.upkeep.start();
  }

  /** Before anything is closed that jobs need: running jobs reach their next checkpoint and go back to the queue. */
  async beforeApplicationShutdown(): Promise<void> {
    if (!this.opening) return;
    this.stopping = true;
    const graceMs = this.config.SHUTDOWN_GRACE_MS * SHARE_OF_GRACE;
    await Promise.all([this.drain(graceMs), this.relay.stop(), this.upkeep.stop()]);
    await this.pulse.stop();
  }

  private async open(): Promise<void> {
    await Promise.all([this.pulse.start(), this.pace.start()]);
    if (!this.stopping) this.registrar.register();
  }

  private async drain(graceMs: number): Promise<void> {
    await this.opening;
    await Promise.all(this.workers().map((worker) => worker.drain(graceMs)));
  }

  /** None of a process that was stopped before it began. */
  private workers(): DrainingWorker[] {
    return this.discovery.getProviders().flatMap(({ instance }) => {
      const processor = instance as unknown;
      return processor instanceof ClassProcessor && processor.opened ? [processor.opened] : [];
    });
  }
}
