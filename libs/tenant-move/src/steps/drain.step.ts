/** Applies what was written before the fence. */
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';
import { giveUp, restart } from './take-back';

export async function drain(context: MoveContext, state: MoveState): Promise<MoveState> {
  const { replay, pause } = context;
  if (!replay || !pause?.mark) return restart(context, state);
  context.watchTarget(pause);
  if (!(await replay.untilMark(pause.mark, pause.giveUpAt))) return giveUp(context, state);
  return { ...state, step: 'verify' };
}
