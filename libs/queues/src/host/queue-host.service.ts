/**
 * Starts and stops everything that a worker does with the queues. Starting is a step of the app's, after its boot: no job
 * runs before every handler is known and the wall between tenants has been checked.
 */
import { BullRegistrar } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { OutboxRelay } from '../relay/outbox-relay';
import { UpkeepService } from '../upkeep/upkeep.service';
import { ClassProcessor } from './class-processor';

/** The rest of the grace is for closing pools and sockets. */
const SHARE_OF_GRACE = 0.8;

@Injectable()
export class QueueHost implements BeforeApplicationShutdown {
  private started = false;

  constructor(
    private readonly registrar: BullRegistrar,
    private readonly relay: OutboxRelay,
    private readonly upkeep: UpkeepService,
    private readonly discovery: DiscoveryService,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'SHUTDOWN_GRACE_MS'>,
  ) {}

  /** Call once, after `app.init()`. */
  start(): void {
    this.started = true;
    this.registrar.register();
    this.relay.start();
    this.upkeep.start();
  }

  /** Before anything is closed that jobs need: running jobs reach their next checkpoint and go back to the queue. */
  async beforeApplicationShutdown(): Promise<void> {
    if (!this.started) return;
    const graceMs = this.config.SHUTDOWN_GRACE_MS * SHARE_OF_GRACE;
    const drained = this.processors().map(({ worker }) => worker.drain(graceMs));
    await Promise.all([...drained, this.relay.stop(), this.upkeep.stop()]);
  }

  private processors(): ClassProcessor[] {
    return this.discovery
      .getProviders()
      .map(({ instance }) => instance as unknown)
      .filter((instance) => instance instanceof ClassProcessor);
  }
}
