/**
 * Publishes the tenant's rows, begins to keep the changes, and copies what the slot's snapshot sees. A snapshot ends with its
 * process, so a copy that was cut off starts anew: nothing of it is trusted.
 */
import { overtaken } from '../move.error';
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';
import { readPlace } from '../places';
import { createSlot, dropSlot } from '../slot';
import { copyRows, deleteRows } from '../tenant-rows';

export async function copy(context: MoveContext, state: MoveState): Promise<MoveState> {
  await context.closeReplay();
  const [source, target, arrival] = await Promise.all([context.source(), context.target(), context.arrival()]);
  const place = await readPlace(target, context.tenant);
  if (place?.state !== 'arriving') throw overtaken("The organization's place on the target is not arriving");
  await arrival.takeOver({ anew: true });
  await dropSlot(source, context.name);
  await source.query('select publish_tenant($1)', [context.tenant]);
  await clearTarget(context);
  let rowsCopied = 0;
  const slot = await createSlot(await context.options.source.moverUrl(), context.name, { temporary: false });
  try {
    await copyRows({
      source,
      target,
      tenant: context.tenant,
      tables: await context.tables(),
      snapshot: slot.snapshot,
      pageRows: context.options.pageRows,
      seal: () => arrival.reach(undefined),
      onRows: (rows) => context.report({ step: 'copy', rowsCopied: (rowsCopied += rows) }),
    });
  } finally {
    await slot.client.end();
  }
  await arrival.reach(slot.consistentAt);
  return { ...state, step: 'catch_up', rowsCopied };
}

/** Deletes the tenant's rows on the target; the place there must not be in use. */
export async function clearTarget(context: MoveContext): Promise<void> {
  const [target, arrival, tables] = await Promise.all([context.target(), context.arrival(), context.tables()]);
  await deleteRows({
    client: target,
    tenant: context.tenant,
    tables,
    rows: context.options.deleteRows,
    seal: () => arrival.reach(undefined),
  });
}
