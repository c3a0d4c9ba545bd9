/**
 * The Postgres servers as they see themselves: connections by role against the maximum, who streams from them, what slots hold
 * back, and the age of the oldest transaction id. The monitor role is a member of nothing, so that it sees no statement and no
 * address of anybody: of a connection it sees whose it is, of a stream that it is there. How far replicas are behind is probed.
 */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry, type Sample } from '#libs/observability';
import { type Collector } from '../collect/collector';
import { Collectors } from '../collect/collectors.service';
import { showFigures } from './figure-gauges';
import { type MonitoredNode, ShardMonitors } from './shard-monitors';

/** Roles of ours by name, of all databases of the server: they share its maximum. Whose are none of ours, and the server's own, are `other`. */
const CONNECTIONS = `
  select coalesce(substring(usename from '^stockyard_(app|relay|control|monitor|mover|owner)$'), 'other') as role,
    count(*)::integer as connections
  from pg_stat_activity where usename is not null group by 1`;

const SERVER = `
  select current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer as max_connections,
    (select count(*) from pg_stat_replication)::integer as streams,
    (select max(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
      restart_lsn)) from pg_replication_slots)::double precision as retained,
    (select count(*) from pg_replication_slots where not active)::integer as idle_slots,
    (select max(age(datfrozenxid)) from pg_database)::double precision as xid_age`;

interface Connections {
  readonly role: string;
  readonly connections: number;
}

interface Server {
  readonly max_connections: number;
  readonly streams: number;
  readonly retained: number | null;
  readonly idle_slots: number;
  readonly xid_age: number;
}

interface Answer {
  readonly labels: { readonly shard: string; readonly node: string };
  readonly connections: readonly Connections[];
  readonly server: Server;
}

const LABELS = ['shard', 'node'];

@Injectable()
export class PostgresGauges {
  private readonly servers: Collector<Answer>;

  constructor(registry: MetricsRegistry, collectors: Collectors, monitors: ShardMonitors) {
    this.servers = collectors.make({ name: 'postgres', sources: () => monitors.eachNode(answerOf) });
    registry.gauge({
      name: 'stockyard_postgres_connections',
      help: 'Connections to a server, of all its databases, by role.',
      labels: [...LABELS, 'role'],
      read: () => this.connections(),
    });
    showFigures<keyof Server>(registry, LABELS, () => this.figures(), [
      {
        figure: 'max_connections',
        name: 'stockyard_postgres_connections_max',
        help: 'Connections that roles without superuser may have together.',
      },
      {
        figure: 'streams',
        name: 'stockyard_postgres_replication_streams',
        help: 'Replicas, moves and backups that stream from the server.',
      },
      {
        figure: 'retained',
        name: 'stockyard_postgres_slot_retained_bytes',
        help: 'Log that the slot which is furthest behind keeps from being removed.',
      },
      {
        figure: 'idle_slots',
        name: 'stockyard_postgres_slots_idle',
        help: 'Replication slots that nobody reads from: they keep log for somebody who may never come back.',
      },
      {
        figure: 'xid_age',
        name: 'stockyard_postgres_transaction_id_age',
        help: 'Transactions since the oldest one that is not frozen; the server refuses writes near 2 billion.',
      },
    ]);
  }

  private async connections(): Promise<Sample[]> {
    return (await this.servers.values()).flatMap(({ value: { labels, connections } }) =>
      connections.map((row) => ({ labels: { ...labels, role: row.role }, value: row.connections })),
    );
  }

  private async figures() {
    return (await this.servers.values()).map(({ value: { labels, server } }) => ({ labels, figures: { ...server } }));
  }
}

async function answerOf(monitored: MonitoredNode): Promise<Answer> {
  const { shard, node } = monitored;
  const [connections, [server]] = await Promise.all([
    monitored.rows<Connections>(CONNECTIONS),
    monitored.rows<Server>(SERVER),
  ]);
  return { labels: { shard, node }, connections, server: server! };
}
