/** After the grace period the source's rows are deleted; the place there stays, and says that the tenant has moved. */
import { overtaken } from '../move.error';
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';
import { readPlace } from '../places';
import { deleteRows } from '../tenant-rows';

/** The state as it is while the grace period lasts. */
export async function cleanUp(context: MoveContext, state: MoveState): Promise<MoveState> {
  if (Date.now() < state.cleanUpAt!) return state;
  const source = await context.source();
  const epoch = state.epoch! + 2;
  const place = await readPlace(source, context.tenant);
  // Otherwise the tenant has come back, or is about to: the rows are no longer this move's.
  if (place?.state === 'moved' && place.epoch === epoch) {
    let rowsDeleted = 0;
    await deleteRows({
      client: source,
      tenant: context.tenant,
      tables: await context.tables(),
      rows: context.options.deleteRows,
      seal: () => requireMoved(context, epoch),
      onRows: (rows) => context.report({ step: 'clean_up', rowsDeleted: (rowsDeleted += rows) }),
    });
  }
  return { ...state, step: 'done' };
}

/** Holds the place until the transaction ends, so that the tenant cannot begin to come back meanwhile. */
async function requireMoved(context: MoveContext, epoch: number): Promise<void> {
  const { rowCount } = await (
    await context.source()
  ).query("select from tenant_places where tenant = $1 and state = 'moved' and epoch = $2 for share", [
    context.tenant,
    epoch,
  ]);
  if (!rowCount) throw overtaken('The organization is coming back to this shard');
}
