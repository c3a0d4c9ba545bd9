/** Stops the writes of the organization: the place first, then the lock that waits for the writers under way. */
import { drainWriters } from '#libs/database';
import type { Client } from 'pg';
import { randomUUID } from 'node:crypto';
import { sqlState } from '../connection';
import { overtaken } from '../move.error';
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';
import type { Pause } from '../pause';
import { changePlace } from '../places';
import { MARK_PREFIX } from '../replay/replay';
import { giveUp, restart } from './take-back';

const LOCK_NOT_AVAILABLE = '55P03';
/** Changed rows beyond which they are compared as a whole once more, outside the fence. */
const TOUCHED_ROWS = 50_000;

export async function fence(context: MoveContext, state: MoveState): Promise<MoveState> {
  const { replay } = context;
  if (!replay?.touchedRows) return restart(context, state);
  if (replay.touchedRows.size > TOUCHED_ROWS) return { ...state, step: 'compare' };
  const { directory, source: from } = context.options;
  const epoch = state.epoch!;
  const entry = await directory.read();
  if (entry.shard !== from.shard || entry.epoch !== epoch) throw overtaken('The directory has changed');
  await replay.untilMark(await context.mark());
  const source = await context.source();
  const pause = context.beginPause();
  pause.tier = await changePlace(source, context.tenant, {
    from: [state.openState],
    fromEpochs: [epoch],
    to: 'fenced',
    toEpoch: epoch + 1,
  });
  try {
    pause.mark = await markAfterWriters(source, context.tenant, pause);
  } catch (error) {
    if (sqlState(error) === LOCK_NOT_AVAILABLE) return giveUp(context, state);
    throw error;
  }
  return { ...state, step: 'drain' };
}

/** Waits until no writer is under way, then marks the log: whatever was written stands before the mark. */
async function markAfterWriters(source: Client, tenant: string, pause: Pause): Promise<string> {
  const mark = randomUUID();
  await source.query('begin');
  try {
    await drainWriters(source, tenant, pause.leftMs);
    await source.query('select pg_logical_emit_message(true, $1, $2)', [MARK_PREFIX, mark]);
    await source.query('commit');
    return mark;
  } catch (error) {
    await source.query('rollback').catch(() => undefined);
    throw error;
  }
}
