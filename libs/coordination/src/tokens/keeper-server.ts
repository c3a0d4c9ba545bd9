/**
 * What the keeper of tokens makes of one server: whether it is asked, and whether its answers count. States: there ⇄ away; and
 * trusted ⇄ not, after anything that may have put back its past.
 */
const PROBE_EVERY_MS = 250;
/** The longest pause between two attempts to reconnect is 1 s, then the debts are paid. */
const DISTRUST_MS = 2_000;

export class KeeperServer {
  private away = false;
  private nextTryAt = 0;
  private distrustUntil = 0;

  /** While it is away one try every quarter of a second; the others are refused while that one tries. */
  mayTry(nowMs: number): boolean {
    if (nowMs < this.nextTryAt) return false;
    if (this.away) this.nextTryAt = nowMs + PROBE_EVERY_MS;
    return true;
  }

  /** True when it was away until now. */
  answered(nowMs: number): boolean {
    if (!this.away) return false;
    this.away = false;
    this.nextTryAt = 0;
    this.distrustUntil = Math.max(this.distrustUntil, nowMs + DISTRUST_MS);
    return true;
  }

  /** True when it was there until now. */
  failed(nowMs: number): boolean {
    const begins = !this.away;
    this.away = true;
    this.nextTryAt = nowMs + PROBE_EVERY_MS;
    return begins;
  }

  isTrusted(nowMs: number): boolean {
    return nowMs >= this.distrustUntil;
  }

  /** Its connection broke. */
  broken(): void {
    this.distrustUntil = Infinity;
  }

  /** It is connected again. */
  ready(nowMs: number): void {
    if (this.distrustUntil === Infinity) this.distrustUntil = nowMs + DISTRUST_MS;
  }

  /** It serves what another one served before, and may know less. */
  tookOver(nowMs: number): void {
    this.distrustUntil = Math.max(this.distrustUntil, nowMs + DISTRUST_MS);
  }
}
