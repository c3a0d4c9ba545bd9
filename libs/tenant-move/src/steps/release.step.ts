/** After the flip the source need not keep its log any longer: slot, publication and the row of the arrival go. */
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';
import { dropSlot } from '../slot';

export async function release(context: MoveContext, state: MoveState): Promise<MoveState> {
  await dropLog(context);
  await (await context.arrival()).leave();
  return { ...state, step: 'clean_up' };
}

export async function dropLog(context: MoveContext): Promise<void> {
  await context.closeReplay();
  const source = await context.source();
  await dropSlot(source, context.name);
  await source.query('select unpublish_tenant($1)', [context.tenant]);
}
