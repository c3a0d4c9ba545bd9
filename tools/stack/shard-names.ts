// The clusters that the stack starts itself: what they and their servers are called.
import { HOME_SHARD } from '#libs/config';

const NAMES = [HOME_SHARD, 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];

/** The most that a stack can start. */
export const STACK_SHARDS = NAMES.length;

/** Names of the first `count` shards, the home shard first; undefined when there are not so many. */
export function shardNames(count: number): readonly string[] | undefined {
  return count >= 1 && count <= NAMES.length ? NAMES.slice(0, count) : undefined;
}

/** Name of a server in the stack, and of its directory and log. */
export function serverName(kind: 'postgres' | 'replica', shard: string): string {
  return shard === HOME_SHARD ? kind : `${kind}-${shard}`;
}

/** Every name that {@link serverName} can give. */
export const SERVER_NAMES = NAMES.flatMap((shard) => [serverName('postgres', shard), serverName('replica', shard)]);
