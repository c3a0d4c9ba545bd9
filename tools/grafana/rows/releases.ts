/** How many processes there are, how many there should be, and what they run. */
import type { Row } from '../dashboard';
import { series, table } from '../panels';

export const RELEASES: Row = {
  title: 'Processes',
  panels: [
    series(
      {
        title: 'Processes that are there',
        description: 'As Prometheus scrapes them.',
        unit: 'short',
        width: 8,
        runbook: 'process-down',
      },
      [{ expr: 'sum by (job) (up{job=~"stockyard-$process"})', legend: '{{job}}' }],
    ),
    series(
      {
        title: 'Present and wanted',
        description: 'What autoscaling would have. Wanted above present for long: the autoscaler is at its maximum.',
        unit: 'short',
        width: 8,
      },
      [
        {
          expr: 'max by (process, state) (stockyard_autoscaling_processes{process=~"$process"})',
          legend: '{{process}} {{state}}',
        },
      ],
    ),
    table({ title: 'Releases', description: 'How many processes run each version.', unit: 'short', width: 8 }, [
      {
        expr: 'count by (process, version, node) (stockyard_build_info{process=~"$process"})',
        legend: 'Processes',
        unit: 'short',
      },
    ]),
  ],
};
