/**
 * How many requests a process works on at once, found out from how long they take: a gradient controller, with the formula of
 * Gradient2 (Netflix, concurrency-limits) and, as in the adaptive concurrency filter of Envoy, a baseline that is measured with
 * fewer requests under way.
 *
 *     gradient  = min(1, max(1/2, TOLERANCE × own share of the latency))
 *     new limit = gradient × limit + √limit, of which half is taken over each window
 *
 * What is different here:
 * - The own share of a latency is the baseline of its route ÷ latency, so reports among reads are no slowdown.
 * - Shares are averaged by tenant first and over tenants then: one whose own rows are contended, or whose own reports are large,
 *   does not narrow the process for the others.
 * - When things were slow for PROBE_EVERY_MS, at most half as many requests as there were run for a moment. As far as they are as
 *   slow then, the reason is not their number, and the baselines rise: a database that became slower narrows nothing for long.
 */
import { RouteBaselines } from './route-baselines';

const TOLERANCE = 1.5;
const SMOOTHING = 0.5;
const INITIAL = 32;
/** As little as keeps a CPU busy whose requests wait for a database. */
export const LEAST = 8;
const WINDOW_MS = 250;
const ENOUGH_SAMPLES = 10;
const PROBE_EVERY_MS = 10_000;
const PROBE_MS = 500;
/** For requests that take longer than a probe should. */
const LONGEST_PROBE_MS = 5_000;
const LEAST_PROBE = 2;
/**
 * What is faster than this is fast enough. Below it a mean says more about garbage collection, caches and timers than about
 * load.
 */
const FLOOR_MS = 10;

interface Window {
  readonly since: number;
  readonly shares: Map<string, { sum: number; count: number }>;
  samples: number;
  peak: number;
}

interface Probe {
  readonly limit: number;
  readonly since: number;
  samples: number;
}

/** One request that was worked on. */
export interface Sample {
  readonly tenant: string;
  readonly route: string;
  readonly latencyMs: number;
  /** Requests under way when it began, itself included. */
  readonly inFlight: number;
}

export class AdaptiveLimit {
  private readonly baselines = new RouteBaselines();
  private window: Window;
  private found: number;
  private probe: Probe | undefined;
  /** Since when it is slow without a break or a probe. */
  private slowSince: number | undefined;

  /** Times are on the clock of performance.now(). `maximum` is what is never exceeded. */
  constructor(
    private readonly maximum: number,
    now: number,
  ) {
    this.found = Math.min(INITIAL, maximum);
    this.window = windowFrom(now);
  }

  /** Requests at once, now. */
  at(now: number): number {
    if (this.probe && isOver(this.probe, now)) this.endProbe(now);
    return this.probe?.limit ?? Math.floor(this.found);
  }

  /** What was found; a probe goes below it for a moment. */
  get value(): number {
    return Math.floor(this.found);
  }

  /** Answers the baseline of the route, undefined where it is not known yet. */
  add(sample: Sample, now: number): number | undefined {
    const { probe } = this;
    const isProbe = probe !== undefined && sample.inFlight <= probe.limit && now - sample.latencyMs >= probe.since;
    const baselineMs = this.baselines.add(
      sample.route,
      sample,
      isProbe ? 'probe' : probe ? 'around_probe' : 'ordinary',
    );
    if (!probe) this.judge(sample, baselineMs, now);
    else {
      // Neither the latencies of before nor those of a probe say anything about the limit.
      if (isProbe) probe.samples += 1;
      if (isOver(probe, now)) this.endProbe(now);
    }
    return baselineMs;
  }

  private judge({ tenant, latencyMs, inFlight }: Sample, baselineMs: number | undefined, now: number): void {
    const { window } = this;
    window.samples += 1;
    window.peak = Math.max(window.peak, inFlight);
    if (baselineMs !== undefined) {
      const share = Math.min(1, Math.max(baselineMs, FLOOR_MS) / latencyMs);
      const shares = window.shares.get(tenant);
      if (shares) {
        shares.sum += share;
        shares.count += 1;
      } else window.shares.set(tenant, { sum: share, count: 1 });
    }
    if (window.samples >= ENOUGH_SAMPLES && now - window.since >= WINDOW_MS) this.endWindow(now);
  }

  private endWindow(now: number): void {
    const { shares, peak } = this.window;
    this.window = windowFrom(now);
    if (shares.size === 0) return;
    let sum = 0;
    for (const one of shares.values()) sum += one.sum / one.count;
    const gradient = Math.min(1, Math.max(0.5, (TOLERANCE * sum) / shares.size));
    if (gradient < 1) this.found = Math.min(this.found, Math.max(peak, INITIAL)); // what was not used narrows nothing
    if (peak >= this.found / 2) {
      const wanted = this.found * gradient + Math.sqrt(this.found);
      this.found += SMOOTHING * (wanted - this.found);
      this.found = Math.min(this.maximum, Math.max(Math.min(LEAST, this.maximum), this.found));
    }
    this.slowSince = gradient < 1 ? (this.slowSince ?? now) : undefined;
    if (this.slowSince !== undefined && now - this.slowSince >= PROBE_EVERY_MS) this.beginProbe(peak, now);
  }

  private beginProbe(peak: number, now: number): void {
    const limit = Math.max(LEAST_PROBE, Math.floor(Math.min(this.found, peak) / 2));
    this.probe = { limit, since: now, samples: 0 };
  }

  private endProbe(now: number): void {
    this.baselines.endProbe();
    this.probe = undefined;
    this.slowSince = undefined;
    this.window = windowFrom(now);
  }
}

function isOver({ since, samples }: Probe, now: number): boolean {
  return now - since >= (samples >= ENOUGH_SAMPLES ? PROBE_MS : LONGEST_PROBE_MS);
}

function windowFrom(since: number): Window {
  return { since, shares: new Map(), samples: 0, peak: 0 };
}
