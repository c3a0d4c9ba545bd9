/** Whose load it is: the organizations that use most since the hour began. All others are summed up as `other`. */
import { series, stat, table } from './panels';
import type { DashboardSource, Row } from './dashboard';

const used = (figure: string) => `max by (tenant) (stockyard_tenant_hour_${figure})`;
const most = (figure: string) => `topk($top, max by (tenant) (stockyard_tenant_hour_${figure}{tenant!="other"}))`;
/** Of all that is used, what falls on the largest. */
const share = (figure: string) =>
  `max(max by (tenant) (stockyard_tenant_hour_${figure}{tenant!="other"})) / (sum(${used(figure)}) > 0)`;

const now: Row = {
  title: 'This hour',
  panels: [
    stat(
      {
        title: 'Organizations',
        description: 'moving or deleting for hours: see docs/operations/tenants.md.',
        unit: 'short',
        width: 6,
      },
      [{ expr: 'max by (state) (stockyard_organizations)', legend: '{{state}}' }],
    ),
    stat(
      {
        title: 'Calls of the largest',
        description: 'Share of all calls that is of one tenant.',
        unit: 'percentunit',
        width: 6,
      },
      [{ expr: share('api_calls'), legend: 'share' }],
    ),
    stat(
      {
        title: 'Job time of the largest',
        description: 'Share of the time of all jobs that is of one tenant.',
        unit: 'percentunit',
        width: 6,
      },
      [{ expr: share('job_seconds'), legend: 'share' }],
    ),
    stat(
      {
        title: 'Refusals of the largest',
        description: 'Share of all refusals that is of one tenant.',
        unit: 'percentunit',
        width: 6,
      },
      [{ expr: share('refusals'), legend: 'share' }],
    ),
    table(
      {
        title: 'Tenants',
        description: 'All that is known of the hour so far, with what all others used as other.',
        unit: 'none',
        width: 24,
      },
      [
        { expr: used('api_calls'), legend: 'Calls', unit: 'short' },
        { expr: used('job_seconds'), legend: 'Job time', unit: 's' },
        { expr: used('refusals'), legend: 'Refusals', unit: 'short' },
      ],
    ),
  ],
};

const course: Row = {
  title: 'Those that use most',
  panels: [
    series(
      {
        title: 'Calls',
        description: 'Since the hour began: falls to 0 with each. Who is the load.',
        unit: 'short',
        width: 8,
      },
      [{ expr: most('api_calls'), legend: '{{tenant}}' }],
    ),
    series({ title: 'Job time', description: 'Since the hour began. Who has the workers.', unit: 's', width: 8 }, [
      { expr: most('job_seconds'), legend: '{{tenant}}' },
    ]),
    series(
      {
        title: 'Refusals',
        description: 'Since the hour began. Whom limits hold back: a larger tier, or a client that does not wait.',
        unit: 'short',
        width: 8,
        runbook: 'overload',
      },
      [{ expr: most('refusals'), legend: '{{tenant}}' }],
    ),
  ],
};

const limits: Row = {
  title: 'What holds tenants back',
  panels: [
    series(
      {
        title: 'Refused by limits',
        description: 'By policy. One jumps: see which tenant above.',
        unit: 'reqps',
        width: 12,
      },
      [
        {
          expr: 'sum by (policy, outcome) (rate(stockyard_rate_limit_requests_total{outcome=~"refused.*"}[$__rate_interval]))',
          legend: '{{policy}} {{outcome}}',
        },
      ],
    ),
    series(
      {
        title: 'Wait for a share, p95',
        description: 'Tenants wait for their own max_connections: theirs to spread, or a larger tier.',
        unit: 's',
        width: 12,
      },
      [
        {
          expr: 'histogram_quantile(0.95, sum by (le) (rate(stockyard_share_wait_seconds_bucket[$__rate_interval])))',
          legend: 'p95',
        },
      ],
    ),
    series(
      { title: 'Requests by tier', description: 'Counted once, by availability.', unit: 'reqps', width: 12 },
      [
        {
          expr: 'sum by (tier) (rate(stockyard_slo_requests_total{objective="availability"}[$__rate_interval]))',
          legend: '{{tier}}',
        },
      ],
      { stacked: true },
    ),
    series(
      {
        title: 'Bad by tier',
        description: 'Share of the requests of a tier that failed or were late, over five minutes.',
        unit: 'percentunit',
        width: 12,
        runbook: 'slo-budget-burn',
      },
      [{ expr: 'tier_objective:stockyard_slo_bad:ratio_rate5m', legend: '{{tier}} {{objective}}' }],
    ),
  ],
};

export const TENANTS: DashboardSource = {
  uid: 'stockyard-tenants',
  title: 'Stockyard: tenants',
  description: 'The organizations that use most: calls, time of jobs, refusals, and what holds tenants back.',
  variables: ['top'],
  rows: [now, course, limits],
};
