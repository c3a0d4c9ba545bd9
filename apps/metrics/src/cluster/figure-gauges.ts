/** Many metrics that are fields of the same rows, shown with one call each. */
import type { MetricsRegistry, Sample } from '#libs/observability';

/** One row of figures with its labels; a figure that is not known is null. */
export interface FigureRow<Figure extends string> {
  readonly labels: Readonly<Record<string, string>>;
  readonly figures: Readonly<Record<Figure, number | null>>;
}

export interface FigureMetric<Figure extends string> {
  readonly figure: Figure;
  readonly name: string;
  readonly help: string;
  readonly kind?: 'gauge' | 'counter';
}

export function showFigures<Figure extends string>(
  registry: MetricsRegistry,
  labels: readonly string[],
  rows: () => Promise<readonly FigureRow<Figure>[]>,
  metrics: readonly FigureMetric<Figure>[],
): void {
  for (const { figure, name, help, kind = 'gauge' } of metrics) {
    const read = async (): Promise<Sample[]> =>
      (await rows()).flatMap((row) => {
        const value = row.figures[figure];
        return value === null ? [] : [{ labels: row.labels, value }];
      });
    registry[kind]({ name, help, labels: [...labels], read });
  }
}
