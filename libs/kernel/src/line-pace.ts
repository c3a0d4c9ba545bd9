/**
 * How many of those that wait in line are worth it. A line in which somebody has waited for all of the last period is a standing one: it
 * makes everybody wait and lets nobody through sooner (the bad queue of RFC 8289). As many as are served in a period keep whoever
 * serves them as busy; a period is a quarter of how long one may wait. Who comes behind more would wait for long or in vain, hold a
 * connection, a body and memory meanwhile, and be refused in the end.
 */

/** In how long one may wait. */
const PERIODS = 4;
/** A shorter line is empty now and then, and is then judged anew. */
const FEW = 3;

export class LinePace {
  private readonly periodMs: number;
  private since = 0;
  private served = 0;
  private before: number | undefined;

  constructor(waitMs: number) {
    this.periodMs = waitMs / PERIODS;
  }

  /** Somebody waits where nobody did. */
  begin(now: number): void {
    this.since = now;
    this.served = 0;
    this.before = undefined;
  }

  serve(now: number): void {
    this.turn(now);
    this.served += 1;
  }

  /** Of a line in which somebody has waited all the time since begin(); Infinity while that is too short to know, and one at least. */
  worth(now: number): number {
    this.turn(now);
    if (this.before === undefined) return Infinity;
    const inPeriod = Math.max(this.before, this.served);
    return Math.max(1, inPeriod, Math.min(FEW, inPeriod * PERIODS));
  }

  private turn(now: number): void {
    const periods = Math.floor((now - this.since) / this.periodMs);
    if (periods < 1) return;
    this.before = periods === 1 ? this.served : 0;
    this.served = 0;
    this.since += periods * this.periodMs;
  }
}
