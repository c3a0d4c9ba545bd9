/** How far each replica is behind, as this process's own probes see it. */
import { Injectable } from '@nestjs/common';
import { type NodeSnapshot, Shards } from '#libs/database';
import type { ReplicaState } from '#libs/messaging';

@Injectable()
export class ReplicaLagRepository {
  constructor(private readonly shards: Shards) {}

  /** A replica that does not answer is not reachable, and nobody knows how far behind it is. */
  states(): ReplicaState[] {
    const nodes = this.shards.snapshot();
    return nodes.filter(({ isPrimary, standby }) => !isPrimary && standby !== false).map(stateOf);
  }
}

function stateOf({ shard, node, isUp, lagMs, lagBytes }: NodeSnapshot): ReplicaState {
  const name = `${shard}/${node}`;
  if (!isUp) return { name, reachable: false, lag_bytes: null, lag_ms: null };
  return { name, reachable: true, lag_bytes: lagBytes, lag_ms: Math.round(lagMs) };
}
