/** What Prometheus holds of the simulated cluster: samples by series, for as long as an expression may look back. */

export type Labels = Readonly<Record<string, string>>;

export interface Series {
  readonly metric: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface Point {
  readonly at: number;
  readonly value: number;
}

export interface Found {
  readonly labels: Labels;
  readonly points: readonly Point[];
}

interface Kept {
  readonly labels: Labels;
  points: Point[];
}

/** Prometheus' own: a series that was not scraped for so long is gone. */
export const LOOKBACK_SECONDS = 300;
const KEPT_SECONDS = 900;

export class Samples {
  private readonly metrics = new Map<string, Map<string, Kept>>();

  scrape(at: number, series: Iterable<Series>): void {
    const seen = new Set<Kept>();
    for (const { metric, labels, value } of series) {
      const kept = this.series(metric, labels);
      kept.points.push({ at, value });
      seen.add(kept);
    }
    for (const [, all] of this.metrics)
      for (const [key, kept] of all) {
        // A target that is gone leaves a staleness mark: its series end with the scrape that lacks them.
        if (!seen.has(kept)) kept.points.push({ at, value: NaN });
        if (kept.points[0]!.at < at - KEPT_SECONDS) kept.points.shift();
        if (kept.points.every(({ value }) => Number.isNaN(value))) all.delete(key);
      }
  }

  /** The newest sample of each series. */
  instant(metric: string, at: number): readonly Found[] {
    return this.range(metric, at, LOOKBACK_SECONDS)
      .map(({ labels, points }) => ({ labels, points: points.slice(-1) }))
      .filter(({ points }) => points.length > 0 && !Number.isNaN(points[0]!.value));
  }

  range(metric: string, at: number, seconds: number): readonly Found[] {
    return [...(this.metrics.get(metric)?.values() ?? [])].map(({ labels, points }) => {
      return { labels, points: points.filter((point) => point.at <= at && point.at > at - seconds) };
    });
  }

  has(metric: string): boolean {
    return this.metrics.has(metric);
  }

  private series(metric: string, labels: Labels): Kept {
    const all = this.metrics.get(metric) ?? new Map<string, Kept>();
    this.metrics.set(metric, all);
    const key = keyOf(labels);
    const kept = all.get(key) ?? { labels, points: [] };
    all.set(key, kept);
    return kept;
  }
}

export const keyOf = (labels: Labels): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(',');
