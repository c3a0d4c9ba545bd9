/** The panels of the dashboards, as Grafana writes them, from what differs between them. */

/** Every panel asks the data source that is chosen at the top of its dashboard. */
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;

/** Units of Grafana (the ids of its unit picker). */
export type Unit = 'reqps' | 'ops' | 'short' | 'percentunit' | 's' | 'bytes' | 'Bps' | 'none';

export interface Query {
  readonly expr: string;
  /** What the legend says of a series: `{{label}}` is one of its labels. */
  readonly legend: string;
}

export interface About {
  readonly title: string;
  /** What it shows, and what to do when it looks wrong. */
  readonly description: string;
  readonly unit: Unit;
  /** Of 24 columns. */
  readonly width: number;
  /** Name of a page in docs/runbooks. */
  readonly runbook?: string;
  /** Where an alert of that runbook fires; a line is drawn there. */
  readonly alertsAt?: number;
  /** The alert fires below, not above. */
  readonly alertsBelow?: boolean;
}

export interface Panel {
  readonly type: 'timeseries' | 'stat' | 'heatmap' | 'table';
  readonly title: string;
  readonly description: string;
  readonly datasource: typeof DATASOURCE;
  readonly gridPos: { readonly w: number; readonly h: number };
  readonly targets: readonly Target[];
  readonly links: readonly object[];
  readonly fieldConfig: { readonly defaults: Readonly<Record<string, unknown>>; readonly overrides: readonly object[] };
  readonly options: object;
  readonly transformations?: readonly object[];
}

export interface Target {
  readonly refId: string;
  readonly datasource: typeof DATASOURCE;
  readonly expr: string;
  readonly legendFormat: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly format: 'time_series' | 'heatmap' | 'table';
  readonly exemplar: boolean;
}

const HIGH = 8;
const LOW = 4;

function targets(queries: readonly Query[], how: Partial<Target> = {}): Target[] {
  return queries.map(({ expr, legend }, at) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + at),
    datasource: DATASOURCE,
    expr,
    legendFormat: legend,
    instant: false,
    range: true,
    format: 'time_series',
    exemplar: false,
    ...how,
  }));
}

function thresholds({ alertsAt, alertsBelow }: About): object {
  const [before, after] = alertsBelow ? ['red', 'green'] : ['green', 'red'];
  const from = { color: before, value: null };
  return { mode: 'absolute', steps: alertsAt === undefined ? [from] : [from, { color: after, value: alertsAt }] };
}

function common(about: About, height: number) {
  const { title, description, width, runbook } = about;
  return {
    title,
    description,
    datasource: DATASOURCE,
    gridPos: { w: width, h: height },
    links:
      runbook === undefined ? [] : [{ title: 'Runbook', url: `\${runbooks:raw}/${runbook}.md`, targetBlank: true }],
  };
}

const TOOLTIP = { mode: 'multi', sort: 'desc' };

/** Lines over time. With `exemplars` the traces that its buckets name are dots that lead to them. */
export function series(
  about: About,
  queries: readonly Query[],
  { stacked = false, exemplars = false }: { readonly stacked?: boolean; readonly exemplars?: boolean } = {},
): Panel {
  return {
    type: 'timeseries',
    ...common(about, HIGH),
    targets: targets(queries, { exemplar: exemplars }),
    fieldConfig: {
      defaults: {
        unit: about.unit,
        min: 0,
        thresholds: thresholds(about),
        custom: {
          lineWidth: 1,
          fillOpacity: stacked ? 30 : 5,
          showPoints: 'never',
          stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
          thresholdsStyle: { mode: about.alertsAt === undefined ? 'off' : 'line' },
        },
      },
      overrides: [],
    },
    options: { tooltip: TOOLTIP, legend: { displayMode: 'list', placement: 'bottom', showLegend: true } },
  };
}

/** The value now, large, with its course behind it. */
export function stat(about: About, queries: readonly Query[]): Panel {
  return {
    type: 'stat',
    ...common(about, LOW),
    targets: targets(queries),
    fieldConfig: { defaults: { unit: about.unit, thresholds: thresholds(about) }, overrides: [] },
    options: { reduceOptions: { calcs: ['lastNotNull'] }, graphMode: 'area', colorMode: 'value', textMode: 'auto' },
  };
}

/** How the values of a histogram are spread over time, with the traces that its buckets name. */
export function heatmap(about: About, expr: string): Panel {
  return {
    type: 'heatmap',
    ...common(about, HIGH),
    targets: targets([{ expr, legend: '{{le}}' }], { format: 'heatmap', exemplar: true }),
    fieldConfig: { defaults: { unit: about.unit }, overrides: [] },
    options: {
      calculate: false,
      cellGap: 1,
      cellValues: { unit: 'short' },
      color: { mode: 'scheme', scheme: 'Oranges', exponent: 0.5, steps: 64 },
      exemplars: { color: 'rgba(31, 96, 196, 0.9)' },
      filterValues: { le: 1e-9 },
      rowsFrame: { layout: 'auto' },
      tooltip: { mode: 'single', yHistogram: true },
      yAxis: { axisPlacement: 'left', unit: about.unit },
    },
  };
}

export interface Column extends Query {
  readonly unit: Unit;
}

/** One row for each value of the labels, one column for each query (`legend` is its heading), the largest of the first on top. */
export function table(about: About, columns: readonly Column[]): Panel {
  const queries = targets(columns, { instant: true, range: false, format: 'table' });
  const valueOf = (at: number) => (columns.length === 1 ? 'Value' : `Value #${queries[at]!.refId}`);
  return {
    type: 'table',
    ...common(about, HIGH),
    targets: queries,
    fieldConfig: {
      defaults: { unit: about.unit, thresholds: thresholds(about) },
      overrides: columns.map(({ legend, unit }) => ({
        matcher: { id: 'byName', options: legend },
        properties: [{ id: 'unit', value: unit }],
      })),
    },
    options: { showHeader: true, sortBy: [{ displayName: columns[0]!.legend, desc: true }] },
    transformations: [
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          renameByName: Object.fromEntries(columns.map(({ legend }, at) => [valueOf(at), legend])),
        },
      },
    ],
  };
}
