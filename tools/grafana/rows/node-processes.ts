/** Event loop, memory and CPU of each process, and the collectors of metrics. */
import type { Row } from '../dashboard';
import { series } from '../panels';

const OF_PROCESS = 'job=~"stockyard-$process"';
const worst = (expr: string) => `max by (job, instance) (${expr})`;
const INSTANCE = '{{job}} {{instance}}';

export const NODE_PROCESSES: Row = {
  title: 'Processes',
  panels: [
    series(
      {
        title: 'Event loop, p99',
        description: 'Above 0.1 s: something blocks the loop, or the process is full.',
        unit: 's',
        width: 8,
        runbook: 'cpu',
        alertsAt: 0.25,
      },
      [{ expr: worst(`nodejs_eventloop_lag_p99_seconds{${OF_PROCESS}}`), legend: INSTANCE }],
    ),
    series(
      {
        title: 'Event loop, longest',
        description: 'One long pause: garbage, or a large body.',
        unit: 's',
        width: 8,
        runbook: 'cpu',
      },
      [{ expr: worst(`nodejs_eventloop_lag_max_seconds{${OF_PROCESS}}`), legend: INSTANCE }],
    ),
    series(
      {
        title: 'Collecting garbage',
        description: 'Share of the time. More than a tenth: memory.',
        unit: 'percentunit',
        width: 8,
        runbook: 'memory',
      },
      [
        {
          expr: `sum by (job, instance) (rate(nodejs_gc_duration_seconds_sum{${OF_PROCESS}}[$__rate_interval]))`,
          legend: INSTANCE,
        },
      ],
    ),
    series(
      { title: 'CPU', description: 'Processors in use.', unit: 'short', width: 8, runbook: 'cpu', alertsAt: 0.9 },
      [{ expr: worst(`rate(process_cpu_seconds_total{${OF_PROCESS}}[$__rate_interval])`), legend: INSTANCE }],
    ),
    series(
      {
        title: 'Memory of the limit',
        description: 'Scale above 80 %.',
        unit: 'percentunit',
        width: 8,
        runbook: 'memory',
        alertsAt: 0.9,
      },
      [
        {
          expr: `${worst(`process_resident_memory_bytes{${OF_PROCESS}}`)} / on (job, instance) ${worst(`stockyard_process_memory_limit_bytes{${OF_PROCESS}}`)}`,
          legend: INSTANCE,
        },
      ],
    ),
    series({ title: 'Heap', description: 'Rises for days: a leak.', unit: 'bytes', width: 8, runbook: 'memory' }, [
      { expr: worst(`nodejs_heap_size_used_bytes{${OF_PROCESS}}`), legend: INSTANCE },
    ]),
    series({ title: 'Descriptors', description: 'Near 100 %: no more sockets.', unit: 'percentunit', width: 8 }, [
      {
        expr: `${worst(`process_open_fds{${OF_PROCESS}}`)} / on (job, instance) ${worst(`process_max_fds{${OF_PROCESS}}`)}`,
        legend: INSTANCE,
      },
    ]),
    series(
      {
        title: 'Starts',
        description: 'In an hour. Changes often: the process is restarted; read why.',
        unit: 'short',
        width: 8,
        runbook: 'process-down',
      },
      [{ expr: worst(`changes(process_start_time_seconds{${OF_PROCESS}}[1h])`), legend: INSTANCE }],
    ),
    series(
      {
        title: 'Collectors that answer',
        description: '0: what is missing from the figures, and why.',
        unit: 'none',
        width: 8,
        runbook: 'process-down',
      },
      [{ expr: 'min by (collector, source) (stockyard_collector_up)', legend: '{{collector}} {{source}}' }],
    ),
  ],
};
