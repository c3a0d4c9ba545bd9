/**
 * What a process knows of one node, and its circuit breaker.
 *
 * Breaker: closed → open after OPEN_AFTER failed probes in a row, or one refusal (of a probe or of use), → closed by
 * CLOSE_AFTER probes in a row that succeed. A connection that broke opens nothing by itself, because a server may end
 * one of many; it only has the node probed at once. An open breaker lets only probes through (M. Nygard, "Release It!",
 * circuit breaker; the probes are its half-open state). An unknown node is open.
 */
import { toPosition } from '#libs/tenancy';

export interface ProbeAnswer {
  readonly standby: boolean;
  /** Replayed on a standby, flushed on a primary; PostgreSQL's `X/Y`. */
  readonly lsn: string | null;
  /** 8 hex digits: that of a primary, or the newest to which a standby's log has come; null where that is not known. */
  readonly timeline: string | null;
}

const OPEN_AFTER = 2;
const CLOSE_AFTER = 2;
const PATIENCE_MS = 1_000;
const STANDBY_PATIENCE_MS = 300;

export class NodeState {
  /** undefined until the first answer. */
  standby: boolean | undefined;
  /** 16 hex digits: replayed (standby) or flushed (primary) when it was last asked. */
  position = '';
  timeline: string | undefined;
  private failures = 0;
  private successes = 0;
  private open = true;

  /** Serves: it answers and is not on trial. */
  get isUp(): boolean {
    return !this.open;
  }

  /** True when this answer closed the breaker or changed the role. */
  answered({ standby, lsn, timeline }: ProbeAnswer): boolean {
    const first = this.standby === undefined;
    const changed = this.standby !== standby;
    this.standby = standby;
    this.position = lsn === null ? '' : toPosition(lsn);
    this.timeline = timeline ?? undefined;
    this.failures = 0;
    this.successes += 1;
    const closes = this.open && (first || this.successes >= CLOSE_AFTER);
    if (closes) this.open = false;
    return changed || closes;
  }

  /** `refused`: nobody listens there, which needs no second opinion. True when this failure opened the breaker. */
  failed(refused: boolean): boolean {
    this.successes = 0;
    this.failures += 1;
    if (this.open || (!refused && this.failures < OPEN_AFTER)) return false;
    this.open = true;
    return true;
  }

  /** How long a probe waits. A standby is given up sooner: there is somewhere else to read. */
  get patienceMs(): number {
    return this.standby === true ? STANDBY_PATIENCE_MS : PATIENCE_MS;
  }

  /** A standby told on a flight how far it is. */
  replayedTo(lsn: string): void {
    this.position = toPosition(lsn);
  }
}
