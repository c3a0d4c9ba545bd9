/** The charts of a series, or the same numbers as a table. */
import { html, type TemplateResult } from 'lit-html';
import type { Deploy, Period, Point } from '../api/views';
import { rangeText } from '../app/route';
import { type Column, table } from '../parts/table';
import { bytes, count, duration, periodStart } from '../text/format';
import { figure, moment } from '../text/figures';
import './chart-element';
import { chartsOf, summaryOf } from './definitions';
import { slotsOf } from './slots';

export interface ChartSectionOptions {
  readonly period: Period;
  readonly series: readonly Point[];
  readonly deploys?: readonly Deploy[];
  readonly theme: string;
  readonly asTable: boolean;
  readonly onToggle: () => void;
}

const WIDTHS = { minute: 'minute', hour: 'hour', day: 'day' } as const;
const timed = { unit: 'ms', why: 'Nothing was timed.' } as const;

function charts({ period, series, deploys = [], theme }: ChartSectionOptions): TemplateResult {
  const slots = slotsOf(period, series);
  return html`<div class="charts">
    ${chartsOf(series).map(
      (chart) =>
        html`<figure class="chart">
          <figcaption>
            <h3>${chart.title}</h3>
            <span class="about">${chart.about}</span>
          </figcaption>
          <stock-chart
            role="img"
            aria-label=${summaryOf(chart, slots)}
            .input=${{ chart, slots, range: period.range, deploys, theme }}
          ></stock-chart>
        </figure>`,
    )}
  </div>`;
}

const DATABASE_COLUMNS: readonly Column<Point>[] = [
  { label: 'Database', numeric: true, cell: (point) => figure(point.database_ms, duration, timed) },
  { label: 'Statements', numeric: true, cell: (point) => figure(point.queries, count) },
];

function numbers({ period, series }: ChartSectionOptions): TemplateResult {
  return table<Point>({
    caption: `Each ${WIDTHS[period.granularity]}, the latest first, UTC`,
    rows: series.toReversed(),
    key: (point) => point.period_start,
    empty: '',
    columns: [
      { label: 'From', cell: (point) => moment(point.period_start, (at) => periodStart(at, period.granularity)) },
      { label: 'Requests', numeric: true, cell: (point) => figure(point.calls, count) },
      { label: 'Errors', numeric: true, cell: (point) => figure(point.errors, count) },
      { label: 'Refused', numeric: true, cell: (point) => figure(point.refusals, count) },
      { label: 'p50', numeric: true, cell: (point) => figure(point.p50_ms, duration, timed) },
      { label: 'p95', numeric: true, cell: (point) => figure(point.p95_ms, duration, timed) },
      { label: 'p99', numeric: true, cell: (point) => figure(point.p99_ms, duration, timed) },
      { label: 'At work', numeric: true, cell: (point) => figure(point.busy_ms, duration, timed) },
      { label: 'Jobs', numeric: true, cell: (point) => figure(point.job_ms, duration, timed) },
      ...(series.every(({ queries }) => queries === null) ? [] : DATABASE_COLUMNS),
      { label: 'Sent', numeric: true, cell: (point) => figure(point.bytes_out, bytes, { unit: 'bytes' }) },
    ],
  });
}

export function chartSection(options: ChartSectionOptions): TemplateResult {
  const { series, period, asTable, onToggle } = options;
  if (series.length === 0)
    return html`<section class="panel wide" aria-label="Over time">
      <p class="empty large">
        No requests in ${period.range === '1h' ? 'this hour' : `these ${rangeText(period.range)}`}.
      </p>
    </section>`;
  return html`<section class="panel wide" aria-label="Over time">
    <header class="panel-head">
      <h2>Over time</h2>
      <button type="button" class="quiet" aria-pressed=${asTable} @click=${onToggle}>
        ${asTable ? 'Show as charts' : 'Show as table'}
      </button>
    </header>
    ${asTable ? numbers(options) : charts(options)}
  </section>`;
}
