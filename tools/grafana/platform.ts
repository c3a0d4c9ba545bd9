/** Is the platform well: requests, error budgets, replicas, and what requests wait for. */
import { heatmap, series, stat, table } from './panels';
import type { DashboardSource, Row } from './dashboard';
import { ADMISSION } from './rows/admission';
import { DATA_PATHS } from './rows/data-paths';
import { RELEASES } from './rows/releases';
import { SERVICE_LEVELS } from './rows/service-levels';

const DURATION = 'stockyard_http_request_duration_seconds';
const ASKED = 'job=~"stockyard-$process", route=~"$route"';
const rate = (by: string, more = '') => `sum by (${by}) (rate(${DURATION}_count{${ASKED}${more}}[$__rate_interval]))`;
const quantile = (q: number, by = '') =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(${DURATION}_bucket{${ASKED}}[$__rate_interval])))`;

const now: Row = {
  title: 'Now',
  panels: [
    stat(
      {
        title: 'Requests',
        description: 'Requests a second. Probes and scrapes do not count.',
        unit: 'reqps',
        width: 5,
      },
      [{ expr: rate('job'), legend: '{{job}}' }],
    ),
    stat(
      {
        title: 'Failures',
        description: 'Share of the answers that are 5xx.',
        unit: 'percentunit',
        width: 5,
        runbook: 'server-errors',
        alertsAt: 0.02,
      },
      [{ expr: `(${rate('job', ', status="5xx"')} or 0 * ${rate('job')}) / (${rate('job')} > 0)`, legend: '{{job}}' }],
    ),
    stat(
      {
        title: 'Slowest 5 %',
        description: 'How long the slowest 5 % of the requests take at least.',
        unit: 's',
        width: 5,
        runbook: 'slow',
        alertsAt: 0.5,
      },
      [{ expr: quantile(0.95), legend: 'p95' }],
    ),
    stat(
      {
        title: 'Error budget left',
        description: 'What is left of the budget of 30 days, all tiers. 100 %: nothing is used; below 0 there is none.',
        unit: 'percentunit',
        width: 5,
        runbook: 'slo-budget-burn',
      },
      [{ expr: 'objective:stockyard_slo_budget:remaining_ratio30d', legend: '{{objective}}' }],
    ),
    stat(
      {
        title: 'Alerts that fire',
        description: 'By severity: page wakes somebody, ticket does not. Each alert has a runbook.',
        unit: 'short',
        width: 4,
      },
      [
        {
          expr: 'count by (severity) (ALERTS{alertstate="firing", alertname=~"Stockyard.*"}) or vector(0)',
          legend: '{{severity}}',
        },
      ],
    ),
  ],
};

const requests: Row = {
  title: 'Requests by route',
  panels: [
    series({ title: 'Rate', description: 'The ten busiest routes.', unit: 'reqps', width: 8 }, [
      { expr: `topk(10, ${rate('route')})`, legend: '{{route}}' },
    ]),
    series(
      {
        title: 'Errors',
        description: 'Answers 5xx a second: look for their traces in the exemplars of the durations.',
        unit: 'reqps',
        width: 8,
        runbook: 'server-errors',
      },
      [{ expr: `topk(10, ${rate('route', ', status="5xx"')}) > 0`, legend: '{{route}}' }],
    ),
    series(
      {
        title: 'Duration, p95',
        description: 'The ten slowest routes. Dots are traces.',
        unit: 's',
        width: 8,
        runbook: 'slow',
        alertsAt: 0.5,
      },
      [{ expr: `topk(10, ${quantile(0.95, ', route')})`, legend: '{{route}}' }],
      { exemplars: true },
    ),
    heatmap(
      {
        title: 'Durations',
        description: 'How long requests take. Dots are requests whose trace was recorded: they lead to it.',
        unit: 's',
        width: 12,
        runbook: 'slow',
      },
      `sum by (le) (increase(${DURATION}_bucket{${ASKED}}[$__rate_interval]))`,
    ),
    table({ title: 'Routes', description: 'Over the last minutes, the busiest on top.', unit: 'none', width: 12 }, [
      { expr: rate('method, route'), legend: 'Requests', unit: 'reqps' },
      {
        expr: `${rate('method, route', ', status="5xx"')} / (${rate('method, route')} > 0)`,
        legend: 'Failures',
        unit: 'percentunit',
      },
      { expr: quantile(0.5, ', method, route'), legend: 'p50', unit: 's' },
      { expr: quantile(0.95, ', method, route'), legend: 'p95', unit: 's' },
      { expr: quantile(0.99, ', method, route'), legend: 'p99', unit: 's' },
    ]),
  ],
};

export const PLATFORM: DashboardSource = {
  uid: 'stockyard-platform',
  title: 'Stockyard: platform',
  description: 'Requests by route, error budgets, processes, admission, replicas, pools and lanes.',
  variables: ['process', 'route', 'shard'],
  rows: [now, requests, SERVICE_LEVELS, RELEASES, ADMISSION, DATA_PATHS],
};
