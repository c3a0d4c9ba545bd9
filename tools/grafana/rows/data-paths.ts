/** The ways to databases: replicas, pools and lanes. */
import type { Row } from '../dashboard';
import { series } from '../panels';

export const DATA_PATHS: Row = {
  title: 'Replicas, pools and lanes',
  panels: [
    series(
      {
        title: 'Lag of replicas',
        description: 'As the processes see it. Above DATABASE_REPLICA_MAX_LAG_MS a replica serves no reads.',
        unit: 's',
        width: 8,
        runbook: 'replica',
      },
      [
        {
          expr: 'max by (shard, node) (stockyard_node_lag_seconds{shard=~"$shard", standby="true"})',
          legend: '{{shard}}/{{node}}',
        },
      ],
    ),
    series(
      {
        title: 'Nodes that processes would use',
        description: 'Share of the processes. No node with standby=false at 1: promote a replica.',
        unit: 'percentunit',
        width: 8,
        runbook: 'no-primary',
      },
      [
        {
          expr: 'avg by (shard, node, standby) (stockyard_node_up{shard=~"$shard"})',
          legend: '{{shard}}/{{node}} standby={{standby}}',
        },
      ],
    ),
    series(
      {
        title: 'Reads by why they went there',
        description: 'behind, no_replica: replicas lag. no_token: clients send none back.',
        unit: 'ops',
        width: 8,
      },
      [
        {
          expr: 'sum by (shard, reason) (rate(stockyard_reads_routed_total{shard=~"$shard"}[$__rate_interval]))',
          legend: '{{shard}} {{reason}}',
        },
      ],
      { stacked: true },
    ),
    series(
      {
        title: 'Callers that wait for a connection',
        description: 'In one process at most. Above 0 for a minute: DATABASE_POOL_SIZE, or slow statements.',
        unit: 'short',
        width: 8,
        runbook: 'connections',
        alertsAt: 5,
      },
      [
        {
          expr: 'max by (shard, node, role) (stockyard_pool_connections{job=~"stockyard-$process", shard=~"$shard", state="waiting"})',
          legend: '{{shard}}/{{node}} {{role}}',
        },
      ],
    ),
    series(
      {
        title: 'Wait for a connection, p99',
        description: 'Above 0.1 s: as beside.',
        unit: 's',
        width: 8,
        runbook: 'connections',
      },
      [
        {
          expr: 'histogram_quantile(0.99, sum by (le, shard, node) (rate(stockyard_pool_wait_seconds_bucket{job=~"stockyard-$process", shard=~"$shard"}[$__rate_interval])))',
          legend: '{{shard}}/{{node}}',
        },
        {
          expr: 'histogram_quantile(0.99, sum by (le) (rate(stockyard_share_wait_seconds_bucket{job=~"stockyard-$process"}[$__rate_interval])))',
          legend: 'a share of a tenant',
        },
      ],
    ),
    series(
      {
        title: 'Lanes: refused and failed',
        description: 'Refused: a database is out, or a pool or share is used up. Failed: read the log.',
        unit: 'ops',
        width: 8,
        runbook: 'connections',
      },
      [
        {
          expr: 'sum by (lane, access, outcome) (rate(stockyard_lane_duration_seconds_count{job=~"stockyard-$process", outcome=~"refused|failed"}[$__rate_interval]))',
          legend: '{{lane}} {{access}} {{outcome}}',
        },
      ],
    ),
    series(
      {
        title: 'Lanes: duration, p95',
        description: 'How long units of work with a database take.',
        unit: 's',
        width: 8,
        runbook: 'slow',
      },
      [
        {
          expr: 'histogram_quantile(0.95, sum by (le, lane, access) (rate(stockyard_lane_duration_seconds_bucket{job=~"stockyard-$process"}[$__rate_interval])))',
          legend: '{{lane}} {{access}}',
        },
      ],
    ),
    series(
      {
        title: 'Connections in use',
        description: 'Of the pools of all processes.',
        unit: 'short',
        width: 8,
        runbook: 'connections',
      },
      [
        {
          expr: 'sum by (shard, node, state) (stockyard_pool_connections{job=~"stockyard-$process", shard=~"$shard", state!="waiting"})',
          legend: '{{shard}}/{{node}} {{state}}',
        },
      ],
    ),
    series(
      {
        title: 'Reads that primaries answer for replicas',
        description: 'At its bound (DATABASE_FALLBACK_PERCENT of the pool) reads are about to be answered 503.',
        unit: 'short',
        width: 8,
        runbook: 'replica',
      },
      [{ expr: 'sum by (shard) (stockyard_fallback_reads{shard=~"$shard"})', legend: '{{shard}}' }],
    ),
  ],
};
