/** What the gate of the api lets in, and what it refuses. */
import type { Row } from '../dashboard';
import { series } from '../panels';

export const ADMISSION: Row = {
  title: 'Admission',
  panels: [
    series(
      {
        title: 'In flight against the limit',
        description: 'At the limit: the processes are full. The limit falls when what is behind gets slower.',
        unit: 'short',
        width: 8,
        runbook: 'overload',
      },
      [
        { expr: 'sum by (priority) (stockyard_admission_in_flight)', legend: '{{priority}}' },
        { expr: 'sum(stockyard_admission_limit)', legend: 'limit' },
      ],
    ),
    series(
      {
        title: 'Refused',
        description: 'Shed and expired are 503s: more api processes.',
        unit: 'reqps',
        width: 8,
        runbook: 'overload',
        alertsAt: 0.2,
      },
      [
        {
          expr: 'sum by (priority, outcome) (rate(stockyard_admission_requests_total{outcome=~"shed|expired"}[$__rate_interval]))',
          legend: '{{priority}} {{outcome}}',
        },
      ],
    ),
    series(
      {
        title: 'Wait, p95',
        description: 'Near ADMISSION_WAIT_MS: soon they expire.',
        unit: 's',
        width: 8,
        runbook: 'overload',
      },
      [
        {
          expr: 'histogram_quantile(0.95, sum by (le, priority) (rate(stockyard_admission_wait_seconds_bucket[$__rate_interval])))',
          legend: '{{priority}}',
        },
      ],
    ),
  ],
};
