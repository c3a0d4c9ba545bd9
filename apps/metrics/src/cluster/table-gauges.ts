/**
 * The largest tables of each shard and how much of them is dead rows: the signal of bloat. The months of a partitioned table count as one.
 * From the statistics and the catalog of the primary, which need no lock: a migration that waits for a table holds nobody up here.
 */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import { Collectors } from '../collect/collectors.service';
import { showFigures } from './figure-gauges';
import { ShardMonitors } from './shard-monitors';

/** Tables of a shard that are shown: a bound, and all that matter. */
const MOST = 20;
/** Rounds between two looks: sizes change slowly. */
const ROUNDS = 6;

/** Pages as of the last vacuum or analyze, of heap, TOAST and indexes. Statistics of use are the primary's alone. */
const TABLES = `
  with parts as (
    select c.oid, c.reltoastrelid, coalesce(parent.relname, c.relname)::text as name
    from pg_class c left join pg_inherits i on i.inhrelid = c.oid left join pg_class parent on parent.oid = i.inhparent
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace),
  pages as (
    select p.name, c.relpages from parts p join pg_class c on c.oid in (p.oid, p.reltoastrelid)
    union all
    select p.name, c.relpages from parts p join pg_index x on x.indrelid in (p.oid, p.reltoastrelid)
      join pg_class c on c.oid = x.indexrelid),
  sizes as (
    select name, sum(relpages)::double precision * current_setting('block_size')::integer as bytes from pages group by name),
  rows as (
    select p.name, sum(s.n_live_tup)::double precision as live, sum(s.n_dead_tup)::double precision as dead
    from parts p join pg_stat_user_tables s on s.relid = p.oid group by p.name)
  select name, bytes, case when live + dead > 0 then dead / (live + dead) else 0 end as dead_share
  from sizes join rows using (name) where not pg_is_in_recovery() order by bytes desc, name limit $1`;

interface Table {
  readonly name: string;
  readonly bytes: number;
  readonly dead_share: number;
}

@Injectable()
export class TableGauges {
  constructor(registry: MetricsRegistry, collectors: Collectors, monitors: ShardMonitors) {
    const tables = collectors.make({
      name: 'tables',
      everyRounds: ROUNDS,
      sources: () => monitors.eachNode((node) => tablesOf(node.shard, node.rows<Table>(TABLES, [MOST]))),
    });
    const rows = async () => (await tables.values()).flatMap(({ value }) => value);
    showFigures<'bytes' | 'dead_share'>(registry, ['shard', 'table'], rows, [
      {
        figure: 'bytes',
        name: 'stockyard_postgres_table_bytes',
        help: `Size of the ${MOST} largest tables with their indexes, as of the last vacuum.`,
      },
      {
        figure: 'dead_share',
        name: 'stockyard_postgres_table_dead_ratio',
        help: 'Dead rows of such a table by all its rows.',
      },
    ]);
  }
}

async function tablesOf(shard: string, found: Promise<readonly Table[]>) {
  return (await found).map(({ name, bytes, dead_share }) => ({
    labels: { shard, table: name },
    figures: { bytes, dead_share },
  }));
}
