/**
 * Whether a server is asked. States: there ⇄ away. Away begins with a failed command and lets one request try every quarter
 * of a second, so that a server which does not even refuse costs no other request its 50 milliseconds.
 */
const PROBE_EVERY_MS = 250;

export class Breaker {
  away = false;
  private nextTryAt = 0;

  /** Whether this request is to try; while the server is away, the others do without meanwhile. */
  mayTry(nowMs: number): boolean {
    if (nowMs < this.nextTryAt) return false;
    if (this.away) this.nextTryAt = nowMs + PROBE_EVERY_MS;
    return true;
  }

  /** True when it was away. */
  succeeded(): boolean {
    const was = this.away;
    this.away = false;
    this.nextTryAt = 0;
    return was;
  }

  /** True when it was there. */
  failed(nowMs: number): boolean {
    const was = this.away;
    this.away = true;
    this.nextTryAt = nowMs + PROBE_EVERY_MS;
    return !was;
  }
}
