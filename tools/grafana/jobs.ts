/** Is work done: queues, how long jobs wait and run, the outbox, and what failed for good. */
import { heatmap, series, stat } from './panels';
import type { DashboardSource, Row } from './dashboard';

const OF_CLASS = 'job_class=~"$job_class"';
const ON_SHARD = 'shard=~"$shard"';
const queue = (metric: string, more = '') => `max by (job_class) (stockyard_queue_${metric}{${OF_CLASS}${more}})`;
const quantile = (q: number, metric: string, by: string, only: string) =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${metric}_bucket{${only}}[$__rate_interval])))`;
const QUEUE = { width: 8, runbook: 'queue-backlog' } as const;

const now: Row = {
  title: 'Now',
  panels: [
    stat(
      {
        title: 'Waiting',
        description: 'Jobs that wait.',
        unit: 'short',
        width: 5,
        runbook: 'queue-backlog',
        alertsAt: 1000,
      },
      [{ expr: queue('jobs', ', state="waiting"'), legend: '{{job_class}}' }],
    ),
    stat(
      {
        title: 'Oldest',
        description: 'How long the oldest job has waited.',
        unit: 's',
        width: 5,
        runbook: 'queue-backlog',
        alertsAt: 300,
      },
      [{ expr: queue('oldest_seconds'), legend: '{{job_class}}' }],
    ),
    stat(
      {
        title: 'Workers',
        description: 'Workers that run each class. 0: nobody does (WORKER_CLASSES).',
        unit: 'short',
        width: 5,
        runbook: 'queue-backlog',
      },
      [{ expr: queue('workers'), legend: '{{job_class}}' }],
    ),
    stat(
      {
        title: 'Dead letters',
        description: 'Jobs that failed for good and that nobody has looked at.',
        unit: 'short',
        width: 4,
        runbook: 'dead-letters',
      },
      [{ expr: `sum(max by (shard, job_class) (stockyard_dead_letters{${ON_SHARD}, ${OF_CLASS}}))`, legend: 'all' }],
    ),
    stat(
      {
        title: 'Outbox',
        description: 'Age of the oldest work that was promised and has not begun.',
        unit: 's',
        width: 5,
        runbook: 'queue-backlog',
        alertsAt: 120,
      },
      [{ expr: `max by (shard) (stockyard_outbox_oldest_age_seconds{${ON_SHARD}})`, legend: '{{shard}}' }],
    ),
  ],
};

const queues: Row = {
  title: 'Queues',
  panels: [
    series(
      {
        title: 'Depth',
        description: 'Jobs that wait. Above 1,000: more workers.',
        unit: 'short',
        alertsAt: 1000,
        ...QUEUE,
      },
      [{ expr: queue('jobs', ', state="waiting"'), legend: '{{job_class}}' }],
    ),
    series(
      {
        title: 'Oldest',
        description: 'Grows while the depth does not: a job is stuck, or put off by the limit of its tenant.',
        unit: 's',
        alertsAt: 300,
        ...QUEUE,
      },
      [{ expr: queue('oldest_seconds'), legend: '{{job_class}}' }],
    ),
    series(
      {
        title: 'Backlog',
        description: 'Time until all that waits has begun. Scale workers by it.',
        unit: 's',
        ...QUEUE,
      },
      [{ expr: queue('backlog_seconds'), legend: '{{job_class}}' }],
    ),
    series({ title: 'Active, delayed, failed', description: 'Jobs in the other states.', unit: 'short', ...QUEUE }, [
      {
        expr: `max by (job_class, state) (stockyard_queue_jobs{${OF_CLASS}, state!="waiting"})`,
        legend: '{{job_class}} {{state}}',
      },
    ]),
    series(
      {
        title: 'Slots that are taken',
        description: 'Active jobs against what workers take at once. At 100 % jobs wait.',
        unit: 'percentunit',
        ...QUEUE,
      },
      [
        {
          expr: `${queue('jobs', ', state="active"')} / on (job_class) (${queue('slots')} > 0)`,
          legend: '{{job_class}}',
        },
      ],
    ),
    series({ title: 'Service time', description: 'Doubles: what jobs wait for got slower.', unit: 's', ...QUEUE }, [
      { expr: queue('service_seconds'), legend: '{{job_class}}' },
    ]),
  ],
};

const jobs: Row = {
  title: 'Jobs',
  panels: [
    heatmap(
      {
        title: 'Waits',
        description: 'From commit to first start: what tenants feel.',
        unit: 's',
        width: 12,
        runbook: 'queue-backlog',
      },
      `sum by (le) (increase(stockyard_job_wait_seconds_bucket{${OF_CLASS}}[$__rate_interval]))`,
    ),
    heatmap(
      { title: 'Runs', description: 'How long runs take.', unit: 's', width: 12 },
      `sum by (le) (increase(stockyard_job_run_seconds_bucket{${OF_CLASS}}[$__rate_interval]))`,
    ),
    series({ title: 'Wait, p95', description: 'By class.', unit: 's', ...QUEUE }, [
      { expr: quantile(0.95, 'stockyard_job_wait_seconds', 'job_class', OF_CLASS), legend: '{{job_class}}' },
    ]),
    series({ title: 'Run, p95', description: 'The ten slowest types.', unit: 's', width: 8 }, [
      { expr: `topk(10, ${quantile(0.95, 'stockyard_job_run_seconds', 'type', OF_CLASS)})`, legend: '{{type}}' },
    ]),
    series(
      {
        title: 'Outcomes',
        description: 'Runs by what came of them. later: a dependency is out.',
        unit: 'ops',
        width: 8,
        runbook: 'dead-letters',
      },
      [
        {
          expr: `sum by (outcome) (rate(stockyard_job_run_seconds_count{${OF_CLASS}}[$__rate_interval]))`,
          legend: '{{outcome}}',
        },
      ],
      { stacked: true },
    ),
    series(
      {
        title: 'Retries and failures',
        description: 'The ten types that fail most.',
        unit: 'ops',
        width: 12,
        runbook: 'dead-letters',
      },
      [
        {
          expr: `topk(10, sum by (type, outcome) (rate(stockyard_job_run_seconds_count{${OF_CLASS}, outcome=~"retry|failed"}[$__rate_interval])))`,
          legend: '{{type}} {{outcome}}',
        },
      ],
    ),
    series(
      {
        title: 'Syncs with outside systems',
        description: 'failed and breaker_open: theirs, not ours. Many breakers at once: the way out of the platform.',
        unit: 'ops',
        width: 12,
      },
      [{ expr: 'sum by (outcome) (rate(stockyard_syncs_total[$__rate_interval]))', legend: '{{outcome}}' }],
    ),
  ],
};

const outbox: Row = {
  title: 'Outbox and dead letters',
  panels: [
    series(
      {
        title: 'Rows that wait',
        description: 'At most 100,000 are counted. Grows: no worker runs, or the Redis of the queues is away.',
        unit: 'short',
        ...QUEUE,
      },
      [{ expr: `max by (shard) (stockyard_outbox_waiting_rows{${ON_SHARD}})`, legend: '{{shard}}' }],
    ),
    series(
      {
        title: 'Age of the oldest',
        description: 'Above a minute: work that was promised does not begin.',
        unit: 's',
        alertsAt: 120,
        ...QUEUE,
      },
      [{ expr: `max by (shard) (stockyard_outbox_oldest_age_seconds{${ON_SHARD}})`, legend: '{{shard}}' }],
    ),
    series({ title: 'Batches that failed', description: 'Read the log of the relay.', unit: 'ops', ...QUEUE }, [
      {
        expr: `sum by (shard) (rate(stockyard_outbox_failures_total{${ON_SHARD}}[$__rate_interval]))`,
        legend: '{{shard}}',
      },
    ]),
    series(
      { title: 'Rows of a batch, p95', description: 'At 200 always: the relay is behind.', unit: 'short', ...QUEUE },
      [{ expr: quantile(0.95, 'stockyard_outbox_batch_rows', 'shard', ON_SHARD), legend: '{{shard}}' }],
    ),
    series(
      {
        title: 'Duration of a batch, p95',
        description: 'Rises with the latency of Redis and of the shard.',
        unit: 's',
        ...QUEUE,
      },
      [{ expr: quantile(0.95, 'stockyard_outbox_batch_seconds', 'shard', ON_SHARD), legend: '{{shard}}' }],
    ),
    series(
      {
        title: 'Dead letters',
        description: 'Above 0: somebody has to look.',
        unit: 'short',
        width: 8,
        runbook: 'dead-letters',
      },
      [
        {
          expr: `max by (shard, job_class) (stockyard_dead_letters{${ON_SHARD}, ${OF_CLASS}})`,
          legend: '{{shard}} {{job_class}}',
        },
      ],
    ),
    series(
      {
        title: 'Age of the oldest dead letter',
        description: 'Nobody has looked for so long.',
        unit: 's',
        width: 8,
        runbook: 'dead-letters',
      },
      [
        {
          expr: `max by (shard, job_class) (stockyard_dead_letter_oldest_age_seconds{${ON_SHARD}, ${OF_CLASS}})`,
          legend: '{{shard}} {{job_class}}',
        },
      ],
    ),
    series(
      {
        title: 'Breakers of connections',
        description: 'Many at once: the way out of the platform.',
        unit: 'short',
        width: 8,
      },
      [
        {
          expr: `max by (shard, state) (stockyard_connection_breakers{${ON_SHARD}})`,
          legend: '{{shard}} {{state}}',
        },
      ],
    ),
  ],
};

export const JOBS: DashboardSource = {
  uid: 'stockyard-jobs',
  title: 'Stockyard: queues and jobs',
  description: 'Depth, age and backlog of queues, waits and runs of jobs, the outbox, dead letters.',
  variables: ['shard', 'job_class'],
  rows: [now, queues, jobs, outbox],
};
