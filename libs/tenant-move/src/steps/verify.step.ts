/** Compares the rows that changed since the two sides were compared as a whole. */
import { inTenantTransaction } from '#libs/database';
import { sqlState } from '../connection';
import { rowsDiffer } from '../move.error';
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';
import type { Pause } from '../pause';
import { differingTables } from '../tenant-rows';
import type { TouchedRows } from '../replay/touched-rows';
import { giveUp, restart } from './take-back';

const QUERY_CANCELED = '57014';

export async function verify(context: MoveContext, state: MoveState): Promise<MoveState> {
  const touched = context.replay?.touchedRows;
  if (!touched || !context.pause) return restart(context, state);
  let different: readonly string[];
  try {
    different = await compareTouched(context, context.pause, touched);
  } catch (error) {
    if (sqlState(error) === QUERY_CANCELED) return giveUp(context, state);
    throw error;
  }
  if (different.length > 0) throw rowsDiffer(different);
  return { ...state, step: 'flip' };
}

async function compareTouched(context: MoveContext, pause: Pause, touched: TouchedRows): Promise<string[]> {
  const [source, target] = await Promise.all([context.source(), context.target()]);
  const limit = `set local statement_timeout = ${pause.leftMs}`;
  return inTenantTransaction(source, context.tenant, () =>
    inTenantTransaction(target, context.tenant, async () => {
      await Promise.all([source.query(limit), target.query(limit)]);
      return differingTables({ source, target }, context.tenant, touched);
    }),
  );
}
