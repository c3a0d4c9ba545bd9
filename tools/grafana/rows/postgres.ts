/** What the databases say of themselves. */
import type { Row } from '../dashboard';
import { series } from '../panels';

const ON_SHARD = 'shard=~"$shard"';
const NODE = '{{shard}}/{{node}}';
/** The worst that a metrics process says of each node. */
export const postgres = (metric: string) => `max by (shard, node) (stockyard_postgres_${metric}{${ON_SHARD}})`;
export const CONNECTED = `sum by (shard, node) (max by (shard, node, role) (stockyard_postgres_connections{${ON_SHARD}}))`;

export const POSTGRES: Row = {
  title: 'Postgres',
  panels: [
    series(
      {
        title: 'Connections against the maximum',
        description: 'Above 80 %: fewer for each process, or a pooler.',
        unit: 'percentunit',
        width: 8,
        runbook: 'connections',
        alertsAt: 0.85,
      },
      [{ expr: `${CONNECTED} / on (shard, node) ${postgres('connections_max')}`, legend: NODE }],
    ),
    series(
      { title: 'Connections by role', description: 'Who has them.', unit: 'short', width: 8, runbook: 'connections' },
      [
        {
          expr: `max by (shard, node, role) (stockyard_postgres_connections{${ON_SHARD}})`,
          legend: `${NODE} {{role}}`,
        },
      ],
      { stacked: true },
    ),
    series(
      {
        title: 'Age of transaction ids',
        description: 'Above 1 billion: autovacuum does not keep up.',
        unit: 'short',
        width: 8,
      },
      [{ expr: postgres('transaction_id_age'), legend: NODE }],
    ),
    series(
      {
        title: 'Replicas behind',
        description: 'What their readers would miss.',
        unit: 's',
        width: 8,
        runbook: 'replica',
        alertsAt: 30,
      },
      [{ expr: 'max by (replica) (stockyard_replica_lag_seconds)', legend: '{{replica}}' }],
    ),
    series(
      {
        title: 'Replicas behind, bytes',
        description: 'Grows: it replays slower than the primary writes.',
        unit: 'bytes',
        width: 8,
        runbook: 'replica',
      },
      [{ expr: 'max by (replica) (stockyard_replica_lag_bytes)', legend: '{{replica}}' }],
    ),
    series(
      {
        title: 'Replication streams',
        description: 'Fewer than there are replicas: one has stopped.',
        unit: 'short',
        width: 8,
        runbook: 'replica',
      },
      [
        { expr: postgres('replication_streams'), legend: NODE },
        { expr: 'min by (replica) (stockyard_replica_up)', legend: '{{replica}} answers' },
      ],
    ),
    series(
      {
        title: 'Kept for slots',
        description: 'Grows: somebody does not read, and the disk of the primary fills.',
        unit: 'bytes',
        width: 8,
        runbook: 'disk',
      },
      [{ expr: postgres('slot_retained_bytes'), legend: NODE }],
    ),
    series(
      {
        title: 'Idle slots',
        description: 'Above 0 for an hour: drop what nobody comes back for.',
        unit: 'short',
        width: 8,
        runbook: 'disk',
      },
      [{ expr: postgres('slots_idle'), legend: NODE }],
    ),
    series(
      {
        title: 'Dead rows of tables',
        description: 'The ten worst. Above 30 % of a large table: vacuum more often, end old transactions.',
        unit: 'percentunit',
        width: 8,
      },
      [
        {
          expr: `topk(10, max by (shard, table) (stockyard_postgres_table_dead_ratio{${ON_SHARD}}))`,
          legend: '{{shard}} {{table}}',
        },
      ],
    ),
    series({ title: 'Size of tables', description: 'The ten largest.', unit: 'bytes', width: 8, runbook: 'disk' }, [
      {
        expr: `topk(10, max by (shard, table) (stockyard_postgres_table_bytes{${ON_SHARD}}))`,
        legend: '{{shard}} {{table}}',
      },
    ]),
    series(
      {
        title: 'Partitions: months left',
        description: 'Below 2: nobody makes months.',
        unit: 'short',
        width: 8,
        runbook: 'partitions',
        alertsAt: 2,
        alertsBelow: true,
      },
      [
        {
          expr: `min by (shard, parent) (stockyard_partition_headroom_months{${ON_SHARD}})`,
          legend: '{{shard}} {{parent}}',
        },
      ],
    ),
    series(
      {
        title: 'Partitions: days left',
        description: 'Below 4: nobody makes days.',
        unit: 'short',
        width: 8,
        runbook: 'partitions',
        alertsAt: 4,
        alertsBelow: true,
      },
      [
        {
          expr: `min by (shard, parent) (stockyard_partition_headroom_days{${ON_SHARD}})`,
          legend: '{{shard}} {{parent}}',
        },
      ],
    ),
  ],
};
