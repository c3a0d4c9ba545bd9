/** Asks every shard as the monitor role, which sees no tenant's rows. Whichever server of a shard answers will do, replicas too. */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, roleUrl } from '#libs/config';
import { Pool, type QueryResultRow } from 'pg';

const PATIENCE_MS = 1_000;

export interface ShardAnswer<Row> {
  readonly shard: string;
  readonly rows: readonly Row[];
}

interface Shard {
  readonly name: string;
  readonly nodes: readonly Pool[];
}

@Injectable()
export class ShardMonitors implements OnApplicationShutdown {
  private readonly shards: readonly Shard[];

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    const pool = (url: string): Pool => {
      const made = new Pool({
        connectionString: roleUrl(config, 'monitor', url),
        max: 1,
        connectionTimeoutMillis: PATIENCE_MS,
        query_timeout: PATIENCE_MS,
        application_name: 'stockyard-metrics-shards',
      });
      made.on('error', () => undefined); // an idle connection that broke is replaced at the next use
      return made;
    };
    this.shards = config.shards.map(({ name, hosts, replicas }) => ({
      name,
      nodes: [...hosts, ...replicas].map(pool),
    }));
  }

  /** Never rejects: a shard of which no server answers is not among the answers. */
  async ask<Row extends QueryResultRow>(sql: string): Promise<ShardAnswer<Row>[]> {
    return (await Promise.all(this.shards.map((shard) => askOne<Row>(shard, sql)))).flat();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.shards.flatMap(({ nodes }) => nodes.map((node) => node.end())));
  }
}

async function askOne<Row extends QueryResultRow>({ name, nodes }: Shard, sql: string): Promise<ShardAnswer<Row>[]> {
  for (const node of nodes) {
    try {
      return [{ shard: name, rows: (await node.query<Row>(sql)).rows }];
    } catch {
      continue; // the next server knows the same
    }
  }
  return [];
}
