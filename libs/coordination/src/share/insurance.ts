/**
 * What a process does on its own while a Redis server is away. States: off → on (Redis has not answered for half a second, so that
 * a hiccup does not bend any limit) → settling (it is back: for as long as other processes may take to reconnect, each
 * registers its part and takes no more than that) → off. Redis having lost its data leads to settling at
 * once.
 */
const BEGINS_AFTER_MS = 500;
/** The longest pause between two attempts to reconnect is 1 s. */
const SETTLES_MS = 1_500;

/** Processes of the platform that were heard of lately, this one included. */
export interface Roster {
  processes: number;
}

export class Insurance {
  private until = -Infinity;
  private failingSince: number | undefined;

  constructor(private readonly roster: Roster) {}

  /** Whether limits are this process's own at the moment. */
  on(nowMs: number): boolean {
    return nowMs < this.until;
  }

  /** This process's part of a limit: with n processes they sum to less than limit + n. */
  part(limit: number): number {
    return Math.ceil(limit / Math.max(1, this.roster.processes));
  }

  /** An attempt that began at `sinceMs` has failed. True when the insurance begins with it. */
  failed(sinceMs: number, nowMs: number): boolean {
    this.failingSince ??= sinceMs;
    if (this.until === Infinity || nowMs - this.failingSince < BEGINS_AFTER_MS) return false;
    this.until = Infinity;
    return true;
  }

  /** Redis has answered. True when settling begins with it. */
  answered(nowMs: number): boolean {
    this.failingSince = undefined;
    if (this.until !== Infinity) return false;
    this.settle(nowMs);
    return true;
  }

  settle(nowMs: number): void {
    this.until = nowMs + SETTLES_MS;
  }
}
