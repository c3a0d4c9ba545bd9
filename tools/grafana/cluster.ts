/** What everything stands on: Postgres, partitions, Redis, the cache, limits, and the processes of Node.js. */
import { stat } from './panels';
import type { DashboardSource, Row } from './dashboard';
import { CACHE_AND_LIMITS } from './rows/cache-and-limits';
import { NODE_PROCESSES } from './rows/node-processes';
import { CONNECTED, POSTGRES, postgres } from './rows/postgres';
import { REDIS, redis } from './rows/redis';

const now: Row = {
  title: 'Now',
  panels: [
    stat(
      {
        title: 'Collectors that fail',
        description: 'What is missing from the figures below; the last row says which.',
        unit: 'short',
        width: 6,
        runbook: 'process-down',
      },
      [{ expr: 'count(min by (collector, source) (stockyard_collector_up) == 0) or vector(0)', legend: 'collectors' }],
    ),
    stat(
      {
        title: 'Connections of Postgres',
        description: 'Against max_connections, on the fullest node.',
        unit: 'percentunit',
        width: 6,
        runbook: 'connections',
        alertsAt: 0.85,
      },
      [{ expr: `max(${CONNECTED} / on (shard, node) ${postgres('connections_max')})`, legend: 'fullest' }],
    ),
    stat(
      {
        title: 'Months of partitions left',
        description: 'Below 2: nobody makes months.',
        unit: 'short',
        width: 6,
        runbook: 'partitions',
        alertsAt: 2,
        alertsBelow: true,
      },
      [{ expr: 'min(stockyard_partition_headroom_months{shard=~"$shard"})', legend: 'fewest' }],
    ),
    stat(
      {
        title: 'Memory of the queues',
        description: 'Of what the Redis may use. When it is full it takes no jobs.',
        unit: 'percentunit',
        width: 6,
        runbook: 'redis',
        alertsAt: 0.8,
      },
      [
        {
          expr: `max(${redis('memory_bytes', '{purpose=~".*queue.*"}')} / on (purpose, node) (${redis('memory_max_bytes')} > 0))`,
          legend: 'fullest',
        },
      ],
    ),
  ],
};

export const CLUSTER: DashboardSource = {
  uid: 'stockyard-cluster',
  title: 'Stockyard: cluster',
  description: 'Postgres, partitions, Redis, cache, limits, and the event loop and memory of each process.',
  variables: ['process', 'shard'],
  rows: [now, POSTGRES, REDIS, CACHE_AND_LIMITS, NODE_PROCESSES],
};
