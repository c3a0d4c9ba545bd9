/**
 * What a move remembers between its steps: small JSON that the caller commits before each step runs and after it.
 *
 *   prepare → copy → catch_up → compare → fence → drain → verify → flip → release → clean_up → done
 *                ↑        ↑                 └──────┴────────┴───────┘ pause too long, or the process died: the
 *                │        └───────────────────────── fence is taken back under a new epoch, once more from here
 *                └── the change log was lost: copied anew
 */

export const MOVE_STEPS = [
  'prepare',
  'copy',
  'catch_up',
  'compare',
  'fence',
  'drain',
  'verify',
  'flip',
  'release',
  'clean_up',
] as const;

export type MoveStep = (typeof MOVE_STEPS)[number];

export interface MoveState {
  /** The step to run next. */
  readonly step: MoveStep | 'done';
  /** The organization's epoch in the directory that this move replaces; null before `prepare` has read it. */
  readonly epoch: number | null;
  /** What the place on the source was, and what it becomes on the target. */
  readonly openState: 'open' | 'suspended';
  readonly rowsCopied: number;
  /** Pauses of the writes that were given up because they took too long. */
  readonly pauses: number;
  /** Milliseconds from the fence to the commit in the directory; null before the flip. */
  readonly pausedMs: number | null;
  /** Unix milliseconds before which `clean_up` leaves the rows on the source alone; null before the flip. */
  readonly cleanUpAt: number | null;
}

/** The state before the first step. */
export const NEW_MOVE: MoveState = {
  step: 'prepare',
  epoch: null,
  openState: 'open',
  rowsCopied: 0,
  pauses: 0,
  pausedMs: null,
  cleanUpAt: null,
};

/** True once the directory leads to the target for certain: the move can only go on. */
export function isFlipped(state: MoveState): boolean {
  return state.step === 'release' || state.step === 'clean_up' || state.step === 'done';
}

/** Where a step is; given to the caller while it runs. */
export interface MoveProgress {
  readonly step: MoveStep;
  readonly rowsCopied?: number;
  /** Bytes of the source's log that the target has not applied. */
  readonly lagBytes?: number;
  /** Milliseconds since writes were fenced. */
  readonly pausedMs?: number;
  readonly rowsDeleted?: number;
}
