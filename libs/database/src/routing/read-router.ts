/**
 * Chooses the node for a read. A replica may answer if (a) it is up, (b) it is young enough, (c) it is known to have
 * replayed the caller's token: the flight itself checks that again. Of several, the one with the fewest reads under way.
 * Otherwise the primary answers, through a gate where a replica would have been meant to.
 */
import type { ConsistencyToken, SeenSoFar } from '#libs/tenancy';
import { toLsn } from '#libs/tenancy';
import { shardUnavailable } from '../database.error';
import type { DatabaseNode } from '../shards/database-node';
import type { Shard } from '../shards/shard';

/** Why a read went where it went; label of the routing metric. */
export const READ_REASONS = [
  'replica', // a replica, as meant
  'only_node', // the shard has no replicas
  'primary_wanted', // the statement asks for the newest there is
  'no_token', // nothing proves what the caller has seen
  'token_void', // its token is of another shard, epoch or timeline
  'behind', // no replica has replayed its token yet
  'no_replica', // none is up and young enough
  'no_primary', // a replica, because there is no primary
] as const;
export type ReadReason = (typeof READ_REASONS)[number];

export interface Route {
  readonly node: DatabaseNode;
  readonly reason: ReadReason;
  /** What the flight must find replayed, `X/Y`; only on a replica. */
  readonly mustHaveReplayed: string | undefined;
  /** Whether the primary stands in for replicas here: through the gate. */
  readonly standsIn: boolean;
}

function comparable(token: ConsistencyToken, shard: Shard, epoch: number): boolean {
  return token.shard === shard.name && token.epoch === epoch && token.timeline === shard.timeline;
}

function leastBusy(nodes: readonly DatabaseNode[]): DatabaseNode | undefined {
  let best: DatabaseNode | undefined;
  let ties = 0;
  for (const node of nodes) {
    if (!best || node.outstanding < best.outstanding) {
      best = node;
      ties = 1;
    } else if (node.outstanding === best.outstanding) {
      ties += 1;
      if (Math.random() * ties < 1) best = node; // an even choice among equals
    }
  }
  return best;
}

/** The primary, for reads that want it. While there is none, a replica. */
export function routeToPrimary(shard: Shard): Route {
  if (!shard.hasReplicas) return onPrimary(shard, 'only_node');
  if (shard.primary) return onPrimary(shard, 'primary_wanted');
  const [replica] = newestFirst(shard.usableReplicas(performance.now()));
  return replica ? onReplica(replica, 'no_primary') : onPrimary(shard, 'primary_wanted');
}

/** A node for a read that a replica may answer. `epoch` is the organization's; `failed` have been tried. */
export function routeRead(
  shard: Shard,
  epoch: number,
  { token, proven }: SeenSoFar,
  failed: ReadonlySet<DatabaseNode>,
): Route {
  if (!shard.hasReplicas) return onPrimary(shard, 'only_node');
  const usable = shard.usableReplicas(performance.now()).filter((node) => !failed.has(node));
  if (!token) return withoutToken(shard, usable, proven);
  if (!comparable(token, shard, epoch)) return standIn(shard, 'token_void');
  if (usable.length === 0) return standIn(shard, 'no_replica');
  const ready = usable.filter(({ state }) => state.position >= token.position);
  // Without a primary it is tried where it is most likely, since the flight finds out for certain.
  const node = leastBusy(ready) ?? (shard.primary ? undefined : newestFirst(usable)[0]);
  return node ? onReplica(node, shard.primary ? 'replica' : 'no_primary', token) : standIn(shard, 'behind');
}

/** Nobody knows what the caller has seen. While there is no primary, whoever is known to have seen nothing may read. */
function withoutToken(shard: Shard, usable: readonly DatabaseNode[], nothingSeen: boolean): Route {
  const [newest] = newestFirst(usable);
  if (!shard.primary && nothingSeen && newest) return onReplica(newest, 'no_primary');
  return standIn(shard, 'no_token');
}

function newestFirst(nodes: readonly DatabaseNode[]): DatabaseNode[] {
  return [...nodes].sort((one, other) => (one.state.position < other.state.position ? 1 : -1));
}

function onReplica(node: DatabaseNode, reason: ReadReason, token?: ConsistencyToken): Route {
  return { node, reason, mustHaveReplayed: token && toLsn(token.position), standsIn: false };
}

function onPrimary(shard: Shard, reason: ReadReason): Route {
  return { node: shard.requirePrimary(), reason, mustHaveReplayed: undefined, standsIn: false };
}

function standIn(shard: Shard, reason: ReadReason): Route {
  if (!shard.primary) throw shardUnavailable(shard.name);
  return { node: shard.primary, reason, mustHaveReplayed: undefined, standsIn: true };
}
