/** Series for promtool of every metric that expressions ask for, so that each has something to answer with. */
import { readExpression, type Selector } from './expression';
import { KNOWN } from './known-metrics';

export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

/** What the recording rules are made from. */
const OF_RULES = ['rate(stockyard_slo_requests_total{outcome=~"good|bad"}[5m])', 'stockyard_slo_objective_ratio'];
/** Values of labels that no matcher names; two instances of each process. */
const UNNAMED = ['x'];
const ALWAYS: Readonly<Record<string, readonly string[]>> = {
  job: ['stockyard-x'],
  instance: ['a', 'b'],
  le: ['0.5', '+Inf'],
};
const COURSE = { counter: '0+60x60', gauge: '5x60' } as const;
const SHARE = '0.999x60';

/** Values that a matcher accepts, as far as it spells them out. */
const spelled = ({ operator, value }: Selector['matchers'][number]): string[] => {
  if (operator === '!=') return ['some'];
  return operator === '=' ? [value] : value.split('|').map((one) => one.replaceAll('.*', 'x'));
};

/** Each label has the same values in all series, or joins would find nothing. Recorded series come from their rules. */
export function seriesFor(exprs: readonly string[]): InputSeries[] {
  const selectors = [...exprs, ...OF_RULES].flatMap((expr) => readExpression(expr).selectors);
  const named = Map.groupBy(
    selectors.flatMap(({ matchers }) => matchers),
    ({ label }) => label,
  );
  const valuesOf = (label: string) =>
    ALWAYS[label] ?? [...new Set((named.get(label) ?? []).flatMap(spelled).concat(UNNAMED))];
  return [...new Set(selectors.map(({ metric }) => metric))].flatMap((metric) => {
    const { kind, labels } = KNOWN.get(metric)!;
    if (metric.includes(':')) return [];
    const sets = [...labels].reduce<string[][]>(
      (all, label) => all.flatMap((set) => valuesOf(label).map((value) => [...set, `${label}="${value}"`])),
      [[]],
    );
    const values = metric === 'stockyard_slo_objective_ratio' ? SHARE : COURSE[kind];
    return sets.map((set) => ({ series: `${metric}{${set.join(',')}}`, values }));
  });
}
