/** What a kind of operation does, step by step; the runner brings it through worker losses. */
import { Injectable } from '@nestjs/common';
import type { Facts, Operation, OperationKind } from './operation';

export interface StepContext {
  readonly operation: Pick<Operation, 'id' | 'tenant' | 'parameters'>;
  /** Aborted when this worker must let go: it is stopping, has lost its lease, or an operator asks to roll back. */
  readonly signal: AbortSignal;
  /** Figures for whoever waits; they reach the table with the next sign of life. */
  report(progress: Facts): void;
  /** Commits what a long step has done so far: a repetition of the step starts from `memory`. */
  checkpoint(memory: Facts): Promise<void>;
}

/**
 * Every step, and the way back, can be repeated, from what was committed before it, after being cut off anywhere. It looks at
 * the signal where that costs nothing and throws its reason. It runs in the tenant context of its tenant, also where the
 * directory knows none.
 *
 * What a step throws decides: `unavailable` (not before its retryAfterSeconds) and unknown errors are tried again, the latter
 * a bounded number of times; any other StockyardError is final, and so is the operation, after `rollBack`.
 */
export abstract class OperationHandler {
  abstract readonly kind: OperationKind;
  /** In order; names are shown to operators and stand in the table: rename none while operations are open. */
  abstract readonly steps: readonly [string, ...string[]];
  /** From this step on it only goes forward, and what fails is tried again for ever; null: it can be undone to the end. */
  abstract readonly pointOfNoReturn: string | null;

  /** Runs one step; resolves with what the next one starts from. */
  abstract runStep(step: string, memory: Facts, context: StepContext): Promise<Facts>;

  /** What comes after a step that went well; undefined ends the operation. The next in order, unless a kind goes back. */
  following(step: string, _memory: Facts): string | undefined {
    return this.steps[this.steps.indexOf(step) + 1];
  }

  /** Undoes all steps so far, with an empty memory where none has run. Never called from the point of no return on. */
  abstract rollBack(memory: Facts, context: StepContext): Promise<void>;

  /** What a completed operation answers, from the memory of its last step. */
  abstract result(memory: Facts): Facts;
}

@Injectable()
export class OperationHandlers {
  private readonly handlers = new Map<OperationKind, OperationHandler>();

  add(handler: OperationHandler): void {
    this.handlers.set(handler.kind, handler);
  }

  /** The kinds that this process can run. */
  get kinds(): readonly OperationKind[] {
    return [...this.handlers.keys()];
  }

  get(kind: OperationKind): OperationHandler {
    const handler = this.handlers.get(kind);
    if (!handler) throw new Error(`Nothing handles operations of the kind ${kind}.`);
    return handler;
  }
}
