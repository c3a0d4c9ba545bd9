/**
 * Compares every row of both sides at one point of the log while writes go on, so that the fence has to compare only what
 * changed afterwards. The point is where a second, temporary slot begins: its snapshot is the source there, and the
 * target is there once exactly the transactions before it are applied.
 */
import { beginAsTenant } from '#libs/database';
import type { Client } from 'pg';
import { rowsDiffer } from '../move.error';
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';
import type { Replay } from '../replay/replay';
import { createSlot, dropSlot } from '../slot';
import { differingTables } from '../tenant-rows';

export async function compare(context: MoveContext, state: MoveState): Promise<MoveState> {
  const { replay } = context;
  if (!replay) return { ...state, step: 'catch_up' };
  const [source, target] = await Promise.all([context.connect('source'), context.connect('target')]);
  try {
    await standAtOnePoint(context, replay, { source, target });
    replay.trackTouched();
    const different = await replay.during(differingTables({ source, target }, context.tenant, await context.tables()));
    if (different.length > 0) throw rowsDiffer(different);
  } finally {
    await Promise.all([source.end(), target.end()]);
  }
  return { ...state, step: 'fence' };
}

/** Opens a transaction on each side, both of which see the same rows. */
async function standAtOnePoint(
  context: MoveContext,
  replay: Replay,
  sides: { readonly source: Client; readonly target: Client },
): Promise<void> {
  const name = `${context.name}_c`;
  // A process that died while its slot was being made leaves it until the server has finished making it.
  await dropSlot(await context.source(), name);
  const slot = await createSlot(await context.options.source.moverUrl(), name, { temporary: true });
  try {
    await beginAsTenant(sides.source, context.tenant, { repeatable: true, snapshot: slot.snapshot });
  } finally {
    await slot.client.end();
  }
  await context.mark(); // a transaction at or after the point, so that reaching it can be seen
  await replay.untilBefore(slot.consistentAt);
  await beginAsTenant(sides.target, context.tenant, { repeatable: true });
}
