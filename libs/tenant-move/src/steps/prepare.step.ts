/** Checks that the organization can move, and makes its place and the partitions of its rows on the target. */
import { alreadyThere, overtaken } from '../move.error';
import type { MoveContext } from '../move-context';
import type { MoveState } from '../move.state';
import { arrive, readPlace } from '../places';

/** First days of the source's partitions, of months or days: they are named so by make_partition(). */
const MONTHS = `
  select p.relname as parent, rpad(substring(c.relname from '_([0-9]{6}|[0-9]{8})$'), 8, '01') as month
  from moved_tables() moved join pg_class p on p.oid = moved join pg_inherits i on i.inhparent = p.oid
  join pg_class c on c.oid = i.inhrelid where c.relname ~ '_([0-9]{6}|[0-9]{8})$' order by 1, 2`;

export async function prepare(context: MoveContext, state: MoveState): Promise<MoveState> {
  const { directory, source: from, target: to } = context.options;
  const entry = await directory.read();
  if (entry.shard === to.shard) throw alreadyThere(to.shard);
  if (entry.shard !== from.shard) throw overtaken(`The organization lives on shard ${entry.shard}, not ${from.shard}`);
  const source = await context.source();
  const place = await readPlace(source, context.tenant);
  if (place?.epoch !== entry.epoch) throw overtaken("The organization's place is not what the directory says");
  if (place.state !== 'open' && place.state !== 'suspended')
    throw overtaken(`The organization's place is ${place.state}`);
  await context.tables();
  await arrive(await context.target(), context.tenant, place);
  await makeMonths(context);
  return { ...state, step: 'copy', epoch: entry.epoch, openState: place.state };
}

async function makeMonths(context: MoveContext): Promise<void> {
  const [source, target] = await Promise.all([context.source(), context.target()]);
  const read = async (client: typeof source) => (await client.query<{ parent: string; month: string }>(MONTHS)).rows;
  const there = new Set((await read(target)).map(({ parent, month }) => `${parent} ${month}`));
  for (const { parent, month } of await read(source)) {
    if (!there.has(`${parent} ${month}`))
      await target.query('select ensure_month($1::regclass, $2::date)', [parent, month]);
  }
}
