/**
 * How long the requests of each route take when nothing stands in their way, so that a slow report is not mistaken for a slow
 * machine. A baseline falls to every lower mean at once. It rises only by a probe, in which fewer requests are under way: with
 * latency = a + b × requests under way, the two measurements give a, the part that is not the doing of other requests.
 */

/** Templates are few; one that would be beyond is not judged. */
const MOST_ROUTES = 1_000;
const ENOUGH_FOR_A_MEAN = 10;
const ENOUGH_FOR_A_PROBE = 3;
const SMOOTHING = 0.3;
interface Measured {
  readonly latencyMs: number;
  readonly inFlight: number;
}

class Mean {
  private latencyMs = 0;
  private inFlight = 0;
  private count = 0;

  add({ latencyMs, inFlight }: Measured): void {
    this.latencyMs += latencyMs;
    this.inFlight += inFlight;
    this.count += 1;
  }

  /** Of at least `enough` values, which are then forgotten. */
  take(enough: number): Measured | undefined {
    const { count } = this;
    if (count < enough) return undefined;
    const mean = { latencyMs: this.latencyMs / count, inFlight: this.inFlight / count };
    this.latencyMs = this.inFlight = this.count = 0;
    return mean;
  }
}

interface Route {
  baselineMs: number | undefined;
  /** Smoothed means of before a probe. */
  recent: Measured | undefined;
  readonly latest: Mean;
  readonly probed: Mean;
}

export class RouteBaselines {
  private readonly routes = new Map<string, Route>();

  /** Takes a latency into account. Answers what the route takes when nothing stands in its way; undefined where it is not known yet. */
  add(name: string, measured: Measured, when: 'probe' | 'around_probe' | 'ordinary'): number | undefined {
    const route = this.routeOf(name);
    if (!route) return undefined;
    if (when === 'probe') route.probed.add(measured);
    route.latest.add(measured);
    const mean = route.latest.take(ENOUGH_FOR_A_MEAN);
    if (mean) {
      route.baselineMs = Math.min(route.baselineMs ?? Infinity, mean.latencyMs);
      if (when === 'ordinary') route.recent = route.recent ? between(route.recent, mean) : mean;
    }
    return route.baselineMs;
  }

  /** Believes what a probe has shown. */
  endProbe(): void {
    for (const route of this.routes.values()) {
      const probed = route.probed.take(ENOUGH_FOR_A_PROBE);
      const { recent, baselineMs } = route;
      if (!probed || !recent || baselineMs === undefined) continue;
      route.baselineMs = Math.max(baselineMs, unloadedMs(recent, probed));
    }
  }

  private routeOf(name: string): Route | undefined {
    const known = this.routes.get(name);
    if (known || this.routes.size >= MOST_ROUTES) return known;
    const made = { baselineMs: undefined, recent: undefined, latest: new Mean(), probed: new Mean() };
    this.routes.set(name, made);
    return made;
  }
}

function between(a: Measured, b: Measured): Measured {
  const mix = (one: number, other: number) => one + SMOOTHING * (other - one);
  return { latencyMs: mix(a.latencyMs, b.latencyMs), inFlight: mix(a.inFlight, b.inFlight) };
}

/** Where the line through both crosses zero requests; between zero and what the probe measured. */
function unloadedMs(loaded: Measured, probed: Measured): number {
  const difference = loaded.inFlight - probed.inFlight;
  if (difference < 1) return probed.latencyMs; // there was nothing to take away
  const unloaded = (loaded.inFlight * probed.latencyMs - probed.inFlight * loaded.latencyMs) / difference;
  return Math.min(probed.latencyMs, unloaded);
}
