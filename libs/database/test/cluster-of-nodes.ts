/** A shard of nodes that no server stands behind: what a process believes of them is set by hand. */
import { loadConfig } from '#libs/config';
import { FallbackGate } from '../src/routing/fallback-gate';
import { DatabaseNode } from '../src/shards/database-node';
import type { ProbeAnswer } from '../src/shards/node-state';
import { Shard } from '../src/shards/shard';

const config = loadConfig({ NODE_ENV: 'test' });

/** `X/Y` of a number. */
export const lsn = (at: number): string => `0/${at.toString(16).toUpperCase()}`;
/** 16 hex digits of a number. */
export const position = (at: number): string => at.toString(16).toUpperCase().padStart(16, '0');
/** 8 hex digits of a number. */
export const timeline = (number: number): string => number.toString(16).toUpperCase().padStart(8, '0');

export function node(name: string, candidate = true): DatabaseNode {
  return new DatabaseNode({ config, url: 'postgres://127.0.0.1:1/x', applicationName: 'spec', name, candidate });
}

export function shardOf(nodes: readonly DatabaseNode[], maxLagMs = 1_000): Shard {
  return new Shard('main', nodes, maxLagMs, new FallbackGate(4, 50));
}

export const primaryAt = (at: number, onTimeline = 1): ProbeAnswer => ({
  standby: false,
  lsn: lsn(at),
  timeline: timeline(onTimeline),
});

export const standbyAt = (at: number, onTimeline = 1): ProbeAnswer => ({
  standby: true,
  lsn: lsn(at),
  timeline: timeline(onTimeline),
});

/** As a probe that was answered. Twice, so that a breaker which was open is closed. */
export function answer(shard: Shard, to: DatabaseNode, what: ProbeAnswer, nowMs = 0): void {
  to.state.answered(what);
  to.state.answered(what);
  shard.refresh(nowMs);
}

/** As a server that is gone. */
export function refuse(shard: Shard, by: DatabaseNode, nowMs = 0): void {
  by.failed(Object.assign(new Error('nobody listens'), { code: 'ECONNREFUSED' }));
  shard.refresh(nowMs);
}
