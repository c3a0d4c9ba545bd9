/**
 * An operation: something long that is done to one tenant as a whole. At most one is open per tenant.
 *
 *   queued ──claimed──▶ running ──last step──▶ completed
 *                        │  ▲ │
 *                        │  └─┴ lease expired, handed over, or a step is tried again: from the last committed step
 *                        ├─ a step fails for good ──▶ undone ──▶ failed
 *                        └─ an operator asks ───────▶ undone ──▶ rolled_back
 *
 * A step and what it starts from are committed before it runs, so whoever takes the operation over repeats at most one step.
 */
export const OPERATION_KINDS = ['export', 'import', 'delete', 'move'] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

export const OPERATION_STATES = ['queued', 'running', 'completed', 'failed', 'rolled_back'] as const;
export type OperationState = (typeof OPERATION_STATES)[number];

/** Small JSON: facts, counts, names; never rows. */
export type Facts = Readonly<Record<string, unknown>>;

export interface OperationFailure {
  readonly code: string;
  readonly message: string;
}

export interface Operation {
  readonly id: string;
  readonly tenant: string;
  readonly kind: OperationKind;
  readonly state: OperationState;
  /** The step that runs or runs next; null until a worker took it. */
  readonly step: string | null;
  readonly parameters: Facts;
  /** What the steps hand on to one another. */
  readonly memory: Facts;
  /** Figures for whoever waits. */
  readonly progress: Facts;
  readonly result: Facts | null;
  /** Why it failed, or why the step at hand is tried again. */
  readonly error: OperationFailure | null;
  readonly rollingBack: boolean;
  readonly undoable: boolean;
  readonly failures: number;
  readonly requestId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly finishedAt: Date | null;
}

export type NewOperation = Pick<Operation, 'tenant' | 'kind' | 'parameters' | 'requestId'>;
