/**
 * How many of those that wait in line are worth it. A line in which somebody has waited for all of the last period is a standing one: it
 * makes everybody wait and lets nobody through sooner (the bad queue of RFC 8289). As many as are served in a period keep whoever
 * serves them as busy; a period is a quarter of how long one may wait. Who comes behind more would wait for long or in vain, hold a
 * connection, a body and memory meanwhile, and be refused in the end.
 */

/** In how long one may wait. */
const PERIODS = 4;
/** Of those that are served while one may wait: a shorter line is empty now and then, and is then judged anew. */
const FEW = 3;
/** What comes at once, of a browser that opens a page, is no standing line: so many may wait before one has waited for as long as one may. */
const BURST = 8;

export class LinePace {
  private readonly periodMs: number;
  private since = 0;
  /** Periods that have passed since begin(). */
  private passed = 0;
  private served = 0;
  /** Served in each of the last periods, the newest first. */
  private before: readonly number[] = [];

  constructor(waitMs: number) {
    this.periodMs = waitMs / PERIODS;
  }

  /** Somebody waits where nobody did. */
  begin(now: number): void {
    this.since = now;
    this.passed = 0;
    this.served = 0;
    this.before = [];
  }

  serve(now: number): void {
    this.turn(now);
    this.served += 1;
  }

  /** Of a line in which somebody has waited all the time since begin(); Infinity while that is too short to know, and one at least. */
  worth(now: number): number {
    this.turn(now);
    if (this.passed === 0) return Infinity;
    const inPeriod = Math.max(this.before[0]!, this.served);
    const inWait = this.before.reduce((sum, served) => sum + served, this.served);
    return Math.max(1, inPeriod, this.passed < PERIODS ? BURST : Math.min(FEW, inWait));
  }

  private turn(now: number): void {
    const periods = Math.floor((now - this.since) / this.periodMs);
    if (periods < 1) return;
    const idle = Array<number>(Math.min(periods - 1, PERIODS)).fill(0);
    this.before = [...idle, this.served, ...this.before].slice(0, PERIODS);
    this.passed += periods;
    this.served = 0;
    this.since += periods * this.periodMs;
  }
}
