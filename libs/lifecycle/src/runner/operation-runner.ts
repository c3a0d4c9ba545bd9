/**
 * Runs the open operations: any number of workers beside each other, each operation in the hands of one. Looks every second,
 * and at once when a hint says that there is something new. On shutdown the steps at hand are cut off and handed over.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import type { Operation } from '../operation/operation';
import { OperationHandlers } from '../operation/operation-handler';
import { OperationRepository } from '../operation/operation.repository';
import { OperationRun } from './operation-run';

const POLL_MS = 1_000;
/** Operations that one worker runs at once. */
const SLOTS = 2;
/** The rest of the grace is for closing pools and sockets. */
const SHARE_OF_GRACE = 0.8;

@Injectable()
export class OperationRunner implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Operations');
  private readonly id = newId();
  private readonly stopping = new AbortController();
  private readonly running = new Map<OperationRun, Promise<void>>();
  private nap = new AbortController();
  private loop: Promise<void> | undefined;

  constructor(
    private readonly repository: OperationRepository,
    private readonly handlers: OperationHandlers,
    private readonly tenant: TenantContextHolder,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'OPERATION_LEASE_MS' | 'SHUTDOWN_GRACE_MS'>,
  ) {}

  /** Call once, after `app.init()`. */
  start(): void {
    this.loop ??= this.run();
  }

  /** There may be something new: look now. */
  wake(): void {
    this.nap.abort();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    for (const run of this.running.keys()) run.handOver();
    const grace = delay(this.config.SHUTDOWN_GRACE_MS * SHARE_OF_GRACE, undefined, { ref: false });
    await Promise.race([Promise.all(this.running.values()), grace]);
  }

  private async run(): Promise<void> {
    let away = false;
    while (!this.stopping.signal.aborted) {
      this.nap = new AbortController(); // before the look: a hint that comes during it counts for the next
      try {
        while (this.running.size < SLOTS && (await this.takeOne()));
        away = false;
      } catch (error) {
        if (!away) this.logger.warn({ err: error }, 'Operations wait: the directory cannot be asked');
        away = true;
      }
      const signal = AbortSignal.any([this.stopping.signal, this.nap.signal]);
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async takeOne(): Promise<boolean> {
    if (this.stopping.signal.aborted) return false;
    const { OPERATION_LEASE_MS: leaseMs } = this.config;
    const operation = await this.repository.claim(this.id, this.handlers.kinds, leaseMs);
    if (!operation) return false;
    const handler = this.handlers.get(operation.kind);
    const run = new OperationRun({ operation, handler, repository: this.repository, runner: this.id, leaseMs });
    const ended = this.asTenant(operation, () => run.run()).finally(() => {
      this.running.delete(run);
      this.wake(); // for the next one, or for the way back of this one
    });
    this.running.set(run, ended);
    return true;
  }

  private asTenant(operation: Operation, work: () => Promise<void>): Promise<void> {
    const context = {
      organizationId: operation.tenant,
      actor: { type: 'operator', id: null },
      permissions: new Set<string>(),
      requestId: operation.requestId,
    } as const;
    return this.tenant.run(context, work);
  }
}
