/**
 * A process that runs a move to its end, for specs that kill it. Its state is committed before each step; a line on stdout says
 * which step begins. Arguments: JSON of {@link MoveProcessArguments}.
 */
import { Client } from 'pg';
import { type MoveState, NEW_MOVE, TenantMove } from '../src';
import { directoryOf } from './directory';

export interface MoveProcessArguments {
  readonly organizationId: string;
  readonly source: { readonly shard: string; readonly url: string };
  readonly target: { readonly shard: string; readonly url: string };
  readonly controlUrl: string;
  /** Where the states are saved. */
  readonly stateUrl: string;
  readonly work: 'go on' | 'roll back';
}

async function main(options: MoveProcessArguments): Promise<void> {
  const store = new Client({ connectionString: options.stateUrl });
  await store.connect();
  const { rows } = await store.query<{ state: MoveState }>('select state from saved_moves where tenant = $1', [
    options.organizationId,
  ]);
  let state = rows[0]?.state ?? NEW_MOVE;
  const side = ({ shard, url }: MoveProcessArguments['source']) => ({ shard, moverUrl: () => url });
  const move = new TenantMove({
    organizationId: options.organizationId,
    source: side(options.source),
    target: side(options.target),
    directory: directoryOf(options.controlUrl, options.organizationId),
    maxPauseMs: 5_000,
    graceMs: 0,
    pageRows: 20,
    deleteRows: 50,
  });
  if (options.work === 'roll back') {
    await move.rollBack(state);
  } else {
    while (state.step !== 'done') {
      await store.query(
        'insert into saved_moves (tenant, state) values ($1, $2) on conflict (tenant) do update set state = excluded.state',
        [options.organizationId, JSON.stringify(state)],
      );
      process.stdout.write(`step ${state.step}\n`);
      state = await move.runStep(state);
    }
  }
  process.stdout.write('finished\n');
  await move.close();
  await store.end();
}

void main(JSON.parse(process.argv[2]!) as MoveProcessArguments);
