/** What a move needs from its caller. */
import type { MoveProgress } from './move.state';

export interface MoveSide {
  /** The shard's name in the directory. */
  readonly shard: string;
  /**
   * URL of its present primary as `stockyard_mover`, asked for at every connect. Direct: a pooler can neither pass on the
   * log nor keep a snapshot.
   */
  readonly moverUrl: () => string | Promise<string>;
}

/** An organization's entry in the directory. */
export interface DirectoryEntry {
  readonly shard: string;
  readonly epoch: number;
}

export interface PresentEntry extends DirectoryEntry {
  /** Whether the tenant may not write: what its place has to say once nobody moves it. */
  readonly suspended: boolean;
}

/** The arbiter: whoever replaces the entry has decided where the organization lives. */
export interface MoveDirectory {
  read(): Promise<PresentEntry>;
  /**
   * In one transaction: the entry becomes `next` if its epoch still is `expectedEpoch`; else false and nothing changed. May
   * reject although it was committed; the move reads the entry again then.
   */
  replace(expectedEpoch: number, next: DirectoryEntry): Promise<boolean>;
}

export interface TenantMoveOptions {
  readonly organizationId: string;
  readonly source: MoveSide;
  readonly target: MoveSide;
  readonly directory: MoveDirectory;
  /** Told after every change of the entry, so that processes read it anew; its failure does not fail the move. */
  readonly announce?: () => void | Promise<void>;
  readonly report?: (progress: MoveProgress) => void;
  /** Longest pause of the organization's writes in milliseconds; 1000 by default. */
  readonly maxPauseMs?: number;
  /** Pauses that may be given up before the move fails with `move_pause_exceeded`; 5 by default. */
  readonly maxPauses?: number;
  /** How long the source keeps the rows after the flip, in milliseconds; an hour by default. */
  readonly graceMs?: number;
  /** Rows per page of the copy; 1000 by default. */
  readonly pageRows?: number;
  /** Rows per transaction of a deletion; 2000 by default. */
  readonly deleteRows?: number;
}
