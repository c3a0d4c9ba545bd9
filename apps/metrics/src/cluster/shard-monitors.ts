/** Asks servers of the shards as the monitor role, which sees no tenant's rows: all of them, or whichever of a shard answers. */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, roleUrl } from '#libs/config';
import type { Source } from '../collect/collector';
import { Pool, type QueryResultRow } from 'pg';

const PATIENCE_MS = 1_000;

/** One server of a shard. */
export interface MonitoredNode {
  readonly shard: string;
  /** `host:port`. */
  readonly node: string;
  /** Rejects while it does not answer. */
  rows<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

@Injectable()
export class ShardMonitors implements OnApplicationShutdown {
  private readonly pools: Pool[] = [];
  private readonly byShard: ReadonlyMap<string, readonly MonitoredNode[]>;

  constructor(@Inject(APP_CONFIG) private readonly config: AppConfig) {
    this.byShard = new Map(
      config.shards.map(({ name, hosts, replicas }) => [
        name,
        [...new Set([...hosts, ...replicas])].map((url) => this.open(name, url)),
      ]),
    );
  }

  /** Every server of every shard, each by itself. */
  nodes(): readonly MonitoredNode[] {
    return [...this.byShard.values()].flat();
  }

  /** A source for each server. */
  eachNode<T>(read: (node: MonitoredNode) => Promise<T>): Source<T>[] {
    return this.nodes().map((node) => ({ name: `${node.shard}/${node.node}`, read: () => read(node) }));
  }

  /** A source for each shard: what its first server that answers says. */
  eachShard<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Source<Row[]>[] {
    return [...this.byShard].map(([name, nodes]) => ({ name, read: () => firstAnswer<Row>(nodes, sql, values) }));
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.pools.map((pool) => pool.end()));
  }

  private open(shard: string, url: string): MonitoredNode {
    const pool = new Pool({
      connectionString: roleUrl(this.config, 'monitor', url),
      max: 2,
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: PATIENCE_MS,
      application_name: 'stockyard-metrics-shards',
    });
    pool.on('error', () => undefined); // an idle connection that broke is replaced at the next use
    this.pools.push(pool);
    const { hostname, port } = new URL(url);
    return {
      shard,
      node: `${hostname}:${port || '5432'}`,
      rows: async <Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
        (await pool.query<Row>(sql, [...values])).rows,
    };
  }
}

async function firstAnswer<Row extends QueryResultRow>(
  nodes: readonly MonitoredNode[],
  sql: string,
  values: readonly unknown[],
): Promise<Row[]> {
  let reason: unknown = new Error('The shard has no server.');
  for (const node of nodes) {
    try {
      return await node.rows<Row>(sql, values);
    } catch (error) {
      reason = error; // the next server knows the same
    }
  }
  throw reason;
}
