/** One node as a process sees it, for metrics and operators. */
import type { DatabaseNode } from './database-node';
import type { Shard } from './shard';

export interface NodeSnapshot {
  readonly shard: string;
  /** `host:port`. */
  readonly node: string;
  readonly isUp: boolean;
  readonly isPrimary: boolean;
  /** undefined before its first answer. */
  readonly standby: boolean | undefined;
  readonly lagMs: number;
  /** Log that it has not replayed yet; null while the primary's position is not known. */
  readonly lagBytes: number | null;
  readonly outstanding: number;
  readonly pools: readonly {
    readonly role: string;
    readonly used: number;
    readonly idle: number;
    readonly waiting: number;
  }[];
}

export function nodeSnapshot(shard: Shard, node: DatabaseNode, nowMs: number): NodeSnapshot {
  const { state, outstanding } = node;
  const pools = [...node.openPools()].map(([role, { totalCount, idleCount, waitingCount }]) => ({
    ...{ role, used: totalCount - idleCount, idle: idleCount, waiting: waitingCount },
  }));
  return {
    shard: shard.name,
    node: node.name,
    isUp: state.isUp,
    isPrimary: node === shard.primary,
    standby: state.standby,
    lagMs: state.standby ? shard.lagMs(state.position, nowMs) : 0,
    lagBytes: shard.primary && state.position !== '' ? shard.lagBytes(state.position) : null,
    outstanding,
    pools,
  };
}
