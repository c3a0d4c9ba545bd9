/**
 * One operation in the hands of this worker: its steps one after another, its lease, and what becomes of it when a step
 * fails, the worker stops, or an operator wants it undone. See operation.ts for the states.
 */
import { Logger } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import type { Facts, Operation, OperationFailure } from '../operation/operation';
import type { OperationHandler, StepContext } from '../operation/operation-handler';
import type { OperationRepository } from '../operation/operation.repository';
import { Lease } from './lease';

/** Of errors that nobody foresaw, before the operation is given up. Those that say `unavailable` do not count. */
const MAX_SURPRISES = 5;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export interface RunOptions {
  readonly operation: Operation;
  readonly handler: OperationHandler;
  readonly repository: OperationRepository;
  readonly runner: string;
  readonly leaseMs: number;
}

export class OperationRun {
  private readonly logger = new Logger('Operations');
  private readonly lease: Lease;
  private memory: Facts;
  private step: string;
  private progress: Facts = {};
  private failures: number;

  constructor(private readonly options: RunOptions) {
    const { operation, handler } = options;
    this.memory = operation.memory;
    this.failures = operation.failures;
    this.step = operation.step ?? handler.steps[0];
    this.lease = new Lease({
      leaseMs: options.leaseMs,
      renew: () => options.repository.renew(this.holding, options.leaseMs, this.progress),
      rollingBack: operation.rollingBack,
    });
  }

  /** Brings the operation as far as this worker can. Never throws. */
  async run(): Promise<void> {
    this.lease.start();
    try {
      if (!this.options.operation.rollingBack) await this.goForward();
      else await this.goBack();
    } catch (error) {
      await this.conclude(error).catch((failure: unknown) => {
        this.logger.warn({ ...this.name, err: failure }, 'An operation waits until its lease ends');
      });
    } finally {
      this.lease.end();
    }
  }

  /** Lets go at the next opportunity; another worker goes on. */
  handOver(): void {
    this.lease.letGo('stopping');
  }

  private get holding() {
    return { id: this.options.operation.id, runner: this.options.runner };
  }

  private get name() {
    const { id: operation_id, tenant: organization_id, kind } = this.options.operation;
    return { operation_id, organization_id, kind, step: this.step };
  }

  private async goForward(): Promise<void> {
    const { handler, operation } = this.options;
    if (operation.step === null) await this.enter(this.step);
    for (;;) {
      this.lease.signal.throwIfAborted();
      this.memory = await handler.runStep(this.step, this.memory, this.context());
      const next = handler.following(this.step, this.memory);
      if (next === undefined) return this.finish('completed', handler.result(this.memory));
      await this.enter(next);
    }
  }

  private async enter(step: string): Promise<void> {
    this.step = step;
    const undoable = this.undoable();
    if (await this.options.repository.advance(this.holding, { step, undoable, memory: this.memory })) {
      this.failures = 0;
      return;
    }
    await this.lease.check(); // undone on request, or somebody else's by now
    throw new Error('The operation could not go on although this worker holds it.');
  }

  private async goBack(): Promise<void> {
    const { handler, operation } = this.options;
    await handler.rollBack(this.memory, this.context());
    await this.finish(operation.error ? 'failed' : 'rolled_back', null);
  }

  private undoable(): boolean {
    const { steps, pointOfNoReturn } = this.options.handler;
    return pointOfNoReturn === null || steps.indexOf(this.step) < steps.indexOf(pointOfNoReturn);
  }

  private context(): StepContext {
    const { id, tenant, parameters } = this.options.operation;
    return {
      operation: { id, tenant, parameters },
      signal: this.lease.signal,
      report: (progress) => {
        this.progress = progress;
      },
      checkpoint: async (memory) => {
        this.memory = memory;
        await this.enter(this.step);
      },
    };
  }

  private async finish(state: 'completed' | 'failed' | 'rolled_back', result: Facts | null): Promise<void> {
    await this.options.repository.finish(this.holding, state, result);
    this.logger.log({ ...this.name, state }, 'An operation ended');
  }

  private async conclude(error: unknown): Promise<void> {
    if (this.lease.reason === 'lost') return; // another worker's by now
    if (this.lease.reason === 'stopping') return this.release(0, null, this.failures);
    if (this.lease.reason === 'roll_back') return this.release(0, null, 0); // whoever takes it next undoes it
    const failures = this.failures + 1;
    const surprise = !(error instanceof StockyardError);
    const final = surprise ? failures >= MAX_SURPRISES : error.category !== 'unavailable';
    this.logger.warn({ ...this.name, failures, err: error }, 'A step of an operation failed');
    const giveUp = final && this.undoable() && !this.options.operation.rollingBack;
    if (giveUp && (await this.options.repository.beginRollBack(this.holding, told(error)))) {
      return this.release(0, null, 0);
    }
    const wantedMs = surprise ? 0 : (error.retryAfterSeconds ?? 0) * 1_000;
    const pauseMs = Math.max(wantedMs, Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS));
    return this.release(pauseMs, this.options.operation.rollingBack ? null : told(error), failures);
  }

  private async release(delayMs: number, error: OperationFailure | null, failures: number): Promise<void> {
    await this.options.repository.release(this.holding, { delayMs, error, failures, progress: this.progress });
  }
}

/** What operators may read: messages of the platform, and of everything else only that it happened. */
function told(error: unknown): OperationFailure {
  if (error instanceof StockyardError) return { code: error.code, message: error.message };
  return { code: 'internal_error', message: 'A step failed for a reason that the log of the worker tells.' };
}
