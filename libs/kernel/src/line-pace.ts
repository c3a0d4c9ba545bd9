/**
 * How many of those that wait in line are worth it: as many as were served in the last `waitMs`, which is how long one waits at most. Who
 * comes behind more of them would most likely wait in vain, hold a connection and a body meanwhile, and be refused all the same.
 * A line that is served fewer than some four times in `waitMs` empties now and then, and is judged anew each time.
 */
export class LinePace {
  private since = 0;
  private served = 0;
  private before: number | undefined;

  constructor(private readonly waitMs: number) {}

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

  /** Of a line in which somebody has waited all the time since begin(); Infinity while that is too short to know. */
  worth(now: number): number {
    this.turn(now);
    return this.before === undefined ? Infinity : Math.max(1, this.before, this.served);
  }

  private turn(now: number): void {
    const periods = Math.floor((now - this.since) / this.waitMs);
    if (periods < 1) return;
    this.before = periods === 1 ? this.served : 0;
    this.served = 0;
    this.since += periods * this.waitMs;
  }
}
