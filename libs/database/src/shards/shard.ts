/**
 * One shard: its nodes, which of them is the primary, and how old each replica is.
 *
 * Primary: the candidate that is up and takes writes; of two, the one on the higher timeline, since the other was
 * promoted away from. Roles are found by probing, so a promotion needs no restart and no change of configuration.
 */
import { shardUnavailable } from '../database.error';
import type { FallbackGate } from '../routing/fallback-gate';
import type { DatabaseNode } from './database-node';
import { PositionHistory } from './position-history';

export class Shard {
  private readonly history = new PositionHistory();
  private current: DatabaseNode | undefined;
  private waiters: (() => void)[] = [];

  constructor(
    readonly name: string,
    readonly nodes: readonly DatabaseNode[],
    /** A replica that is older than this serves no reads, milliseconds. */
    private readonly maxLagMs: number,
    /** For reads that the primary answers in place of replicas. */
    readonly fallback: FallbackGate,
  ) {}

  /** The node that takes writes; undefined while there is none. */
  get primary(): DatabaseNode | undefined {
    return this.current;
  }

  /** Timeline of the primary, or of the last one while there is none. */
  timeline: string | undefined;

  /** Throws `database_unavailable` (503), at once, while there is no primary. */
  requirePrimary(): DatabaseNode {
    if (!this.current) throw shardUnavailable(this.name);
    return this.current;
  }

  /** Whether anything but the primary could ever answer a read. */
  get hasReplicas(): boolean {
    return this.nodes.length > 1;
  }

  /**
   * Standbys that are up, have followed every promotion and are young enough. Without a primary nothing new can be missed, so
   * age does not count.
   */
  usableReplicas(nowMs: number): DatabaseNode[] {
    return this.nodes.filter(
      ({ state }) =>
        state.isUp &&
        state.standby === true &&
        (this.timeline === undefined || state.timeline === this.timeline) &&
        (!this.current || this.lagMs(state.position, nowMs) <= this.maxLagMs),
    );
  }

  /** How old what a node at this position shows is, milliseconds. */
  lagMs(position: string, nowMs: number): number {
    return this.history.ageOf(position, nowMs);
  }

  /** Log between this position and the primary's last known one. */
  lagBytes(position: string): number {
    const behind = BigInt(`0x${this.history.latest || '0'}`) - BigInt(`0x${position}`);
    return behind > 0n ? Number(behind) : 0;
  }

  /** After a node answered or failed: who is primary now, and where is it? */
  refresh(nowMs: number): void {
    const primaries = this.nodes.filter(
      ({ isCandidate, state }) => isCandidate && state.isUp && state.standby === false,
    );
    primaries.sort((one, other) => ((one.state.timeline ?? '') < (other.state.timeline ?? '') ? 1 : -1));
    const [found] = primaries;
    // A primary of an older timeline that comes back while the promoted one is away for a moment is not one any more.
    const isCurrent = found && (this.timeline === undefined || (found.state.timeline ?? '') >= this.timeline);
    this.current = isCurrent ? found : undefined;
    if (!this.current) return;
    const { timeline, position } = this.current.state;
    if (timeline !== this.timeline) this.history.clear();
    this.timeline = timeline;
    this.history.note(position, nowMs);
    for (const wake of this.waiters.splice(0)) wake();
  }

  /** Resolves when there is a primary, or after `timeoutMs` all the same. */
  async primaryWithin(timeoutMs: number): Promise<void> {
    if (this.current) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.waiters.push(resolve);
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }
}
