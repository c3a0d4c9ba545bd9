/**
 * How many jobs may run at once so that who waits at a screen does not notice them: a scavenger, as LEDBAT (RFC 6817) is for networks.
 * A tiny statement is sent again and again. What it takes beyond the least of the last ten minutes is time that it stood in a queue,
 * for a processor of the database, of this machine, or in this process. Jobs get wider while that is below targetMs and narrower while
 * it is above, in proportion, so they settle where they cause that much now and then.
 *
 *     off    = (targetMs - queueing) / targetMs, within -1 and 1
 *     wider:    width + 0.02 × off, below 1: width × (1 + 0.02 × off)
 *     narrower: width × (1 + 0.25 × off)
 *
 * What is different here: a width below 1 is a share of the time, down to LEAST, as one job alone can be too much.
 */

const WIDER = 0.02;
const NARROWER = 0.25;
/** Jobs come to their end, however slow everything is. */
export const LEAST = 0.1;
/** As long as a base is believed; the network may have become slower for good. */
const BASE_MINUTES = 10;
const MINUTE_MS = 60_000;

export class DelayPace {
  private current = LEAST;
  /** Least delay of each of the last minutes, the newest last. */
  private readonly bases: { readonly minute: number; least: number }[] = [];

  /** `maximum`: jobs at once that are never exceeded. `targetMs`: the delay at which they settle. */
  constructor(
    private readonly maximum: number,
    private readonly targetMs: number,
  ) {}

  /** Jobs at once; below 1 the share of the time in which one runs. */
  get width(): number {
    return this.current;
  }

  /** Milliseconds that the statement took, or has taken so far, at `now` (performance.now()). */
  sample(delayMs: number, now: number): void {
    const queueing = delayMs - this.base(delayMs, now);
    const off = Math.max(-1, Math.min(1, (this.targetMs - queueing) / this.targetMs));
    const { current } = this;
    const next = off < 0 ? current * (1 + NARROWER * off) : current + WIDER * off * Math.min(1, current);
    this.current = Math.min(this.maximum, Math.max(LEAST, next));
  }

  /** After a time in which nobody looked: begins as carefully as at first. */
  forget(): void {
    this.current = LEAST;
  }

  private base(delayMs: number, now: number): number {
    const minute = Math.floor(now / MINUTE_MS);
    const { bases } = this;
    const newest = bases[bases.length - 1];
    if (newest?.minute === minute) newest.least = Math.min(newest.least, delayMs);
    else bases.push({ minute, least: delayMs });
    while (bases[0]!.minute <= minute - BASE_MINUTES) bases.shift();
    return Math.min(...bases.map(({ least }) => least));
  }
}
