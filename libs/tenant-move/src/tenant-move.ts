/**
 * Moves a live organization from one shard to another (docs/adr/0008-moves.md; the steps are in move.state.ts).
 *
 *   let state = NEW_MOVE;
 *   while (state.step !== 'done') {
 *     await save(state);                       // before the step runs, so that a crash within it resumes at it
 *     state = await move.runStep(state);       // clean_up answers the same state until cleanUpAt
 *   }
 *
 * Every step can be repeated from the state that was saved before it, by this process or another. A step that throws has
 * changed nothing that its repetition or rollBack() does not expect; writes are not fenced any more when fence, drain
 * or verify throw, unless the directory itself is away. When the target falls silent under the fence, the fence is taken back all
 * the same; the directory's own calls have to end by themselves. A process that dies under the fence leaves it in place: the next
 * runStep() or rollBack() takes it back.
 */
import { alreadyFlipped } from './move.error';
import { MoveContext } from './move-context';
import type { TenantMoveOptions } from './move.options';
import { isFlipped, type MoveState, type MoveStep } from './move.state';
import { departFromTarget, readPlace } from './places';
import { catchUp } from './steps/catch-up.step';
import { cleanUp } from './steps/clean-up.step';
import { compare } from './steps/compare.step';
import { clearTarget, copy } from './steps/copy.step';
import { drain } from './steps/drain.step';
import { fence } from './steps/fence.step';
import { flip } from './steps/flip.step';
import { prepare } from './steps/prepare.step';
import { dropLog, release } from './steps/release.step';
import { giveUp, takeBack } from './steps/take-back';
import { verify } from './steps/verify.step';

const DEFAULTS = { maxPauseMs: 1_000, maxPauses: 5, graceMs: 3_600_000, pageRows: 1_000, deleteRows: 2_000 };

const STEPS: Readonly<Record<MoveStep, (context: MoveContext, state: MoveState) => Promise<MoveState>>> = {
  prepare,
  copy,
  catch_up: catchUp,
  compare,
  fence,
  drain,
  verify,
  flip,
  release,
  clean_up: cleanUp,
};

const UNDER_FENCE: ReadonlySet<string> = new Set(['fence', 'drain', 'verify', 'flip']);

/** Not for concurrent use. To be closed by whoever made it. */
export class TenantMove {
  private readonly context: MoveContext;

  constructor(options: TenantMoveOptions) {
    this.context = new MoveContext({ ...DEFAULTS, ...options });
  }

  /** Runs the step that the state names and answers the state to go on with. */
  async runStep(state: MoveState): Promise<MoveState> {
    if (state.step === 'done') return state;
    try {
      const next = await STEPS[state.step](this.context, state);
      if (this.context.pause) this.context.report({ step: state.step, pausedMs: this.context.pause.lastedMs });
      return next;
    } catch (error) {
      // What the replay had in hand is in doubt; the next step reads on from what the target has committed.
      await this.context.closeReplay().catch(() => undefined);
      if (this.context.pause?.isExpired) return giveUp(this.context, state);
      if (UNDER_FENCE.has(state.step) && (await this.endFence(state)) === 'flipped') return state;
      throw error;
    }
  }

  /** Undoes everything. Throws `move_already_flipped` once the organization lives on the target. */
  async rollBack(state: MoveState): Promise<void> {
    const { context } = this;
    if (isFlipped(state)) throw alreadyFlipped();
    await context.closeReplay();
    if (state.epoch !== null && (await takeBack(context, state)) === 'flipped') throw alreadyFlipped();
    const [target, arrival] = await Promise.all([context.target(), context.arrival()]);
    await arrival.takeOver({ anew: true });
    await dropLog(context);
    const place = await readPlace(target, context.tenant);
    if (place?.state === 'arriving') {
      await clearTarget(context);
      await departFromTarget(target, context.tenant);
    }
    await arrival.leave();
  }

  /** Ends its connections; a step that is running rejects. */
  close(): Promise<void> {
    return this.context.close();
  }

  private async endFence(state: MoveState): Promise<'open' | 'flipped' | 'changed' | undefined> {
    try {
      return await takeBack(this.context, state);
    } catch {
      return undefined; // the error that led here is the one to tell
    }
  }
}
