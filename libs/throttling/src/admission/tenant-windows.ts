/**
 * How many requests each tenant may have under way in this process: a window of its own, found as TCP finds one (slow start, additive
 * increase, multiplicative decrease; RFC 5681). The signal is not the tenant's own latency but that of the others: who is heard by
 * its neighbours gets narrower, who is not, or is alone, gets wider.
 *
 * - A tenant begins with INITIAL. Each WINDOW_MS in which it used all of it and the others did not notice, it doubles, to SLOW_START_TO;
 *   from there on, and after a first narrowing, it grows by GROWTH, or by a quarter where that is less.
 * - The others are slow when their latencies, each compared with the baseline of its route and averaged by tenant, are more than
 *   TOLERANCE times as long. Then each tenant whose requests took more than EXCESS times the mean of all for its weight
 *   gets narrower by NARROWED. Tenants that use no more than their part keep theirs. A window below one is one request, then a
 *   rest of so many times as long as it took that this is its share of the time; LEAST at least.
 * - However narrow its window is, a tenant is let in as often as its rate limit lets it call in the long run. So only what
 *   it sends in bursts gives way, and who has bought much keeps it when the machines are slow for reasons of their own.
 * - While a tenant is the only one of the last REMEMBERED windows, there is nobody to give way to: its window does not hold it.
 */

const INITIAL = 1;
/** Beyond it a window grows slowly: what doubles once more than it should is heard for a quarter of a second. */
const SLOW_START_TO = 8;
const LEAST = 0.125;
/** However long its requests take. */
const LONGEST_REST_MS = 200;
const WINDOW_MS = 250;
const TOLERANCE = 1.2;
/** Below it the others do not notice; without anything beside them they take a twentieth longer than their baselines. */
const UNNOTICED = 1.1;
const EXCESS = 2;
const NARROWED = 0.5;
const GROWTH = 0.5;
/** What a tenant did not use of its long-run rate in so many milliseconds it may make up for at once. */
const CREDIT_MS = 100;
/** Of fewer latencies nothing is concluded. */
const ENOUGH_SAMPLES = 3;
/** Below it, the ratio of two latencies says more about timers and garbage collection than about neighbours. */
const FLOOR_MS = 2;
/** Windows for which a tenant that does nothing is remembered. */
const REMEMBERED = 40;

interface Window {
  size: number;
  slowStart: boolean;
  /** Number of the last window in which it had a request under way. */
  lastUsed: number;
  /** Most requests that it had under way in this window. */
  peak: number;
  /** Milliseconds between two requests at its long-run rate. */
  intervalMs: number;
  /** From when on that rate lets in its next request. */
  dueAt: number;
  /** Until when a window below one lets in nobody. */
  restsUntil: number;
}

interface Use {
  readonly weight: number;
  busyMs: number;
  shares: number;
  samples: number;
}

/** One request that was worked on. */
export interface Worked {
  readonly tenant: string;
  readonly weight: number;
  readonly latencyMs: number;
  /** What its route takes when nothing stands in its way; undefined where that is not known yet. */
  readonly baselineMs: number | undefined;
}

export class TenantWindows {
  private readonly windows = new Map<string, Window>();
  private uses = new Map<string, Use>();
  private number = 0;

  /** Times are on the clock of performance.now(). */
  constructor(private since: number) {}

  /** A request of the tenant is at the gate. `perSecond`: requests that this process lets in however loud it is. */
  arrived(tenant: string, perSecond: number): void {
    const window = this.windows.get(tenant);
    const intervalMs = 1_000 / perSecond;
    if (window) {
      window.intervalMs = intervalMs;
      window.lastUsed = this.number;
    } else {
      const { number: lastUsed } = this;
      this.windows.set(tenant, {
        size: INITIAL,
        slowStart: true,
        lastUsed,
        peak: 0,
        intervalMs,
        dueAt: -Infinity,
        restsUntil: -Infinity,
      });
    }
  }

  /** Whether a tenant that has so many requests under way may have one more. */
  allows(tenant: string, underWay: number, now: number): boolean {
    this.review(now);
    if (this.windows.size === 1) return true;
    const window = this.windows.get(tenant);
    if (!window) return underWay < INITIAL; // forgotten while it waited
    const { size, dueAt, restsUntil } = window;
    return underWay < Math.floor(size) || (underWay === 0 && restsUntil <= now) || dueAt <= now;
  }

  /** Requests that it may have under way, whatever its rate. */
  of(tenant: string): number {
    return this.windows.get(tenant)?.size ?? INITIAL;
  }

  /** A request of a tenant that has arrived has been let in; with it, it has so many under way. */
  began(tenant: string, underWay: number, now: number): void {
    const window = this.windows.get(tenant)!;
    window.peak = Math.max(window.peak, underWay);
    window.lastUsed = this.number;
    window.dueAt = Math.min(Math.max(window.dueAt, now - CREDIT_MS) + window.intervalMs, now + window.intervalMs);
  }

  /** A request of it has been answered. */
  ended({ tenant, weight, latencyMs, baselineMs }: Worked, now: number): void {
    const window = this.windows.get(tenant);
    if (window && window.size < 1)
      window.restsUntil = now + Math.min(LONGEST_REST_MS, latencyMs * (1 / window.size - 1));
    let use = this.uses.get(tenant);
    if (!use) this.uses.set(tenant, (use = { weight, busyMs: 0, shares: 0, samples: 0 }));
    use.busyMs += latencyMs;
    if (baselineMs === undefined) return;
    use.shares += Math.min(1, Math.max(FLOOR_MS, baselineMs) / latencyMs);
    use.samples += 1;
  }

  private review(now: number): void {
    if (now - this.since < WINDOW_MS) return;
    this.since = now;
    this.number += 1;
    const heard = this.heard();
    for (const [tenant, window] of this.windows) {
      if (heard.get(tenant) === 'loud') {
        window.size = Math.max(LEAST, Math.min(window.size, window.peak) * NARROWED);
        window.slowStart = false;
      } else if (window.peak >= Math.max(1, Math.floor(window.size))) {
        if (!window.slowStart) window.size += Math.min(GROWTH, window.size / 4);
        else if (!heard.has(tenant)) window.size *= 2;
        window.slowStart &&= window.size < SLOW_START_TO;
      }
      window.peak = 0;
      if (this.number - window.lastUsed > REMEMBERED) this.windows.delete(tenant);
    }
    this.uses = new Map();
  }

  /** Tenants that use more than their part while the others take longer than by themselves; loud, where these are slow. */
  private heard(): Map<string, 'heard' | 'loud'> {
    const heard = new Map<string, 'heard' | 'loud'>();
    const { uses } = this;
    let [busy, shares, judged] = [0, 0, 0];
    for (const { busyMs, weight, shares: sum, samples } of uses.values()) {
      busy += busyMs / weight;
      if (samples < ENOUGH_SAMPLES) continue;
      shares += sum / samples;
      judged += 1;
    }
    for (const [tenant, use] of uses) {
      const isJudged = use.samples >= ENOUGH_SAMPLES;
      const others = isJudged ? judged - 1 : judged;
      if (others === 0) continue;
      const own = isJudged ? use.shares / use.samples : 0;
      const share = (shares - own) / others;
      const isExcess = use.busyMs / use.weight > (EXCESS * busy) / uses.size;
      if (isExcess && share < 1 / UNNOTICED) heard.set(tenant, share < 1 / TOLERANCE ? 'loud' : 'heard');
    }
    return heard;
  }
}
