/**
 * Takes a fence back. The directory decides: its entry gets a new epoch with the same shard, by the same compare-and-set as
 * the flip, so of a flip and a taking back exactly one happens, whichever processes attempt them. Only then does the
 * place open, under that epoch; a fence that a process which was thought dead attempts later finds another epoch.
 */
import { overtaken, pauseExceeded } from '../move.error';
import type { MoveContext } from '../move-context';
import type { PresentEntry } from '../move.options';
import type { MoveState } from '../move.state';
import { changePlace, readPlace } from '../places';

/**
 * `flipped`: the directory leads to the target already, and nothing was changed. `changed`: the entry is still at the source,
 * under an epoch of somebody else, so this move can never flip; a fence of it is gone.
 */
export async function takeBack(context: MoveContext, state: MoveState): Promise<'open' | 'flipped' | 'changed'> {
  const { directory, source } = context.options;
  const epoch = state.epoch!;
  context.endPause();
  const isReplaced = await directory.replace(epoch, { shard: source.shard, epoch: epoch + 2 });
  if (!isReplaced) {
    const entry = await directory.read();
    if (await hasFlipped(context, epoch, entry)) return 'flipped';
    if (entry.shard !== source.shard) throw overtaken('The directory has changed');
    if (entry.epoch !== epoch + 2) return giveWay(context, state, entry);
  }
  try {
    await changePlace(await context.source(), context.tenant, {
      from: ['fenced', state.openState],
      fromEpochs: [epoch, epoch + 1],
      to: state.openState,
      toEpoch: epoch + 2,
    });
  } catch (error) {
    const entry = await directory.read();
    if (entry.shard !== source.shard || entry.epoch === epoch + 2) throw error;
    return giveWay(context, state, entry); // an operator was faster, and has changed the place as well
  }
  await context.announce();
  if (state.step === 'flip') await closeTarget(context, state);
  return 'open';
}

/** Whether the move that began at `epoch` has led the directory to the target, where operators may have gone on from there. */
export async function hasFlipped(context: MoveContext, epoch: number, entry: PresentEntry): Promise<boolean> {
  if (entry.shard !== context.options.target.shard || entry.epoch < epoch + 2) return false;
  if (entry.epoch === epoch + 2) return true;
  const place = await readPlace(await context.source(), context.tenant);
  const [fenced, moved] = [`fenced ${epoch + 1}`, `moved ${epoch + 2}`];
  return place !== undefined && [fenced, moved].includes(`${place.state} ${place.epoch}`);
}

/** An operator has changed the organization under the fence, which ends as that says. */
async function giveWay(context: MoveContext, state: MoveState, entry: PresentEntry): Promise<'changed'> {
  const client = await context.source();
  const place = await readPlace(client, context.tenant);
  const fenced = state.epoch! + 1;
  if (place?.state === 'fenced' && place.epoch === fenced) {
    const to = entry.suspended ? 'suspended' : 'open';
    await changePlace(client, context.tenant, { from: ['fenced'], fromEpochs: [fenced], to, toEpoch: entry.epoch });
  }
  await context.announce();
  if (state.step === 'flip') await closeTarget(context, state);
  return 'changed';
}

/** Where the place on the target was opened for a flip that did not happen. Nobody was led there. */
async function closeTarget(context: MoveContext, state: MoveState): Promise<void> {
  const target = await context.target();
  const place = await readPlace(target, context.tenant);
  if (place?.state !== state.openState || place.epoch !== state.epoch! + 2) return;
  await changePlace(target, context.tenant, { from: [state.openState], to: 'arriving', toEpoch: place.epoch });
}

/** The pause takes too long: writes go on, and the move tries again. */
export async function giveUp(context: MoveContext, state: MoveState): Promise<MoveState> {
  const next = await restart(context, state);
  if (next.step === 'flip') return next;
  const pauses = state.pauses + 1;
  if (pauses >= context.options.maxPauses) throw pauseExceeded(pauses, context.options.maxPauseMs);
  return { ...next, pauses };
}

/** A step under the fence whose process is not the one that fenced: how long writes waited is not known. */
export async function restart(context: MoveContext, state: MoveState): Promise<MoveState> {
  const outcome = await takeBack(context, state);
  // From `flip` it could not be rolled back: the next fence finds the same.
  if (outcome === 'changed' && state.step === 'flip') return { ...state, step: 'catch_up' };
  if (outcome === 'changed') throw overtaken('The directory has changed');
  if (outcome === 'flipped') return { ...state, step: 'flip' };
  return { ...state, step: 'catch_up', epoch: state.epoch! + 2 };
}
