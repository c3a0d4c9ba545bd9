// Which clusters a start has: never fewer than the kept data.
import { shardNames } from './shard-names';
import { StackError } from './stack-error';
import type { StateDirectory } from './state-directory';

const FILE = 'shards.json';

/**
 * The shards of this start, which are kept for the next: those asked for, else those that the data has. Throws a
 * StackError when the data has one that was not asked for.
 */
export function decideShards(state: StateDirectory, asked: number | undefined): readonly string[] {
  const { count } = (state.readJson(FILE) ?? {}) as { count?: unknown };
  const kept = typeof count === 'number' ? count : 1;
  const names = shardNames(asked ?? kept);
  if (names === undefined || names.length < kept) {
    throw new StackError(
      `The data in ${state.shown()} has ${kept} shards: use --shards ${kept} or more, or begin anew with --fresh.`,
    );
  }
  state.writeJson(FILE, { count: names.length });
  return names;
}
