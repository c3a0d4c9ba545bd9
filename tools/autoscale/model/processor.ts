/**
 * One thread of a container under a CPU limit: work in the order in which it came, as long as the quota of the running period lasts
 * (Linux' CFS bandwidth control: limit × 100 ms in each 100 ms), then nothing until the next.
 */

export const PERIOD_SECONDS = 0.1;

export class Processor {
  /** When what it was given so far is done. */
  freeAt: number;
  private periodEnd: number;
  private left: number;
  private readonly quota: number;
  /** Processor time of all that it was given. */
  private used = 0;

  /** `limit`: cores; one thread uses no more than one. */
  constructor(
    readonly limit: number,
    startedAt: number,
  ) {
    this.quota = Math.min(limit, 1) * PERIOD_SECONDS;
    this.freeAt = startedAt;
    this.periodEnd = startedAt + PERIOD_SECONDS;
    this.left = this.quota;
  }

  /** Cores that it gets at most, in the long run. */
  get speed(): number {
    return Math.min(this.limit, 1);
  }

  /** Gives it work of so many seconds of processor time; answers when that will be done. Calls come in the order of `at`. */
  serve(at: number, work: number): number {
    let now = Math.max(at, this.freeAt);
    let rest = work;
    this.used += work;
    for (;;) {
      if (now >= this.periodEnd) {
        this.periodEnd += Math.ceil((now - this.periodEnd) / PERIOD_SECONDS + EPSILON) * PERIOD_SECONDS;
        this.left = this.quota;
      }
      const slice = Math.min(rest, this.left, this.periodEnd - now);
      rest -= slice;
      this.left -= slice;
      now += slice;
      if (rest <= EPSILON) break;
      now = this.periodEnd; // the quota or the period is over
    }
    this.freeAt = now;
    return now;
  }

  /** The same for a stretch of time whose requests nobody looks at one by one: as a fluid. */
  flow(from: number, to: number, work: number): void {
    const waiting = Math.max(0, this.freeAt - from) * this.speed + work;
    const left = waiting - (to - from) * this.speed;
    this.freeAt = left > EPSILON ? to + left / this.speed : Math.max(this.freeAt, from);
    this.used += work;
  }

  /** Processor time that has been spent by then. */
  spent(at: number): number {
    return this.used - Math.max(0, this.freeAt - at) * this.speed;
  }
}

const EPSILON = 1e-9;
