/**
 * Tells whoever watches how the lanes are used and what they wait for. Metrics stand to the right of this library and come to it:
 * they set a watcher, at most one.
 */
import { Injectable } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';

export type Lane = 'statement' | 'batch' | 'interactive';

/**
 * `refused`: it never ran, because something was out, closed or used up. `declined`: it ran, and a rule said no, such as stock that
 * is short or a version that has changed. `failed`: anything else.
 */
export const LANE_OUTCOMES = ['done', 'declined', 'refused', 'failed'] as const;
export type LaneOutcome = (typeof LANE_OUTCOMES)[number];

export interface LaneUse {
  readonly lane: Lane;
  readonly isRead: boolean;
  readonly outcome: LaneOutcome;
  readonly ms: number;
}

export interface LaneWatcher {
  /** A use of a lane has ended; an interactive one with its transaction. */
  used(use: LaneUse): void;
  /** A connection of the app role was handed out, or not, after so long. */
  checkedOut(checkout: { readonly shard: string; readonly node: string; readonly ms: number }): void;
  /** A tenant had all of its connections in use and got one, or not, after so long. */
  shared(ms: number): void;
}

const REFUSED: ReadonlySet<string> = new Set(['unavailable', 'limited']);

export function laneOutcome(error: unknown): Exclude<LaneOutcome, 'done'> {
  if (!(error instanceof StockyardError) || error.category === 'internal') return 'failed';
  return REFUSED.has(error.category) ? 'refused' : 'declined';
}

@Injectable()
export class LaneWatch {
  private watcher: LaneWatcher | undefined;

  watch(watcher: LaneWatcher): void {
    this.watcher = watcher;
  }

  /** Runs one use of a lane and tells how it ended. */
  async use<T>(lane: Lane, isRead: boolean, work: () => Promise<T>): Promise<T> {
    const { watcher } = this;
    if (!watcher) return work();
    const began = performance.now();
    let outcome: LaneOutcome = 'done';
    try {
      return await work();
    } catch (error) {
      outcome = laneOutcome(error);
      throw error;
    } finally {
      watcher.used({ lane, isRead, outcome, ms: performance.now() - began });
    }
  }

  checkedOut(shard: string, node: string, ms: number): void {
    this.watcher?.checkedOut({ shard, node, ms });
  }

  shared(ms: number): void {
    this.watcher?.shared(ms);
  }
}
