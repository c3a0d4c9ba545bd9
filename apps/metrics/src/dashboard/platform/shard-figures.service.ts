/** The shards as the dashboard shows them: what their databases weigh, and who lives there. Asked on the schedule of the collectors. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { CONTROL_POOL, type PrimaryPool } from '#libs/database';
import { ShardMonitors } from '../../cluster/shard-monitors';
import type { Collector } from '../../collect/collector';
import { Collectors } from '../../collect/collectors.service';

/** Of the server that answers; connections are of all its databases, which share its maximum. */
const FIGURES = `
  select pg_database_size(current_database())::double precision as bytes,
    (select count(*) from pg_stat_activity where usename is not null)::integer as connections,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer as connections_max`;
const RESIDENTS = `
  select coalesce(o.shard, b.shard) as shard, count(*)::integer as organizations
  from organizations o join shard_buckets b on b.bucket = o.shard_key group by 1`;

interface Figures {
  readonly bytes: number;
  readonly connections: number;
  readonly connections_max: number;
}

export interface ShardFigures {
  readonly name: string;
  readonly reachable: boolean;
  readonly organizations: number | null;
  readonly bytes: number | null;
  readonly connections: number | null;
  readonly connections_max: number | null;
}

@Injectable()
export class ShardFiguresService {
  private readonly figures: Collector<Figures[]>;
  private readonly residents: Collector<ReadonlyMap<string, number>>;

  constructor(
    collectors: Collectors,
    monitors: ShardMonitors,
    @Inject(CONTROL_POOL) directory: PrimaryPool,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'shards'>,
  ) {
    this.figures = collectors.make({ name: 'shards', sources: () => monitors.eachShard<Figures>(FIGURES) });
    const read = async () => {
      const { rows } = await directory.queryAnywhere<{ shard: string; organizations: number }>(RESIDENTS);
      return new Map(rows.map(({ shard, organizations }) => [shard, organizations]));
    };
    this.residents = collectors.make({ name: 'residents', sources: () => [{ name: 'directory', read }] });
  }

  /** Never rejects. */
  async shards(): Promise<ShardFigures[]> {
    const [answers, [residents]] = await Promise.all([this.figures.values(), this.residents.values()]);
    return this.config.shards.map(({ name }) => {
      const figures = answers.find(({ source }) => source === name)?.value[0];
      return {
        name,
        reachable: figures !== undefined,
        organizations: residents ? (residents.value.get(name) ?? 0) : null,
        bytes: figures?.bytes ?? null,
        connections: figures?.connections ?? null,
        connections_max: figures?.connections_max ?? null,
      };
    });
  }
}
