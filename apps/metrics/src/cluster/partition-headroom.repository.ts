/**
 * How many months each partitioned table has left before rows find no partition. It stands in the catalog, so whichever
 * server of a shard answers may be asked, replicas too.
 */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, roleUrl } from '#libs/config';
import { Pool } from 'pg';

const PATIENCE_MS = 1_000;
const HEADROOM = 'select parent, months from partition_headroom()';

export interface PartitionHeadroom {
  readonly shard: string;
  /** The partitioned table. */
  readonly parent: string;
  /** Months after this one that have a partition; -1 when this one has none. */
  readonly months: number;
}

interface Shard {
  readonly name: string;
  readonly nodes: readonly Pool[];
}

@Injectable()
export class PartitionHeadroomRepository implements OnApplicationShutdown {
  private readonly shards: readonly Shard[];

  constructor(@Inject(APP_CONFIG) config: AppConfig) {
    const pool = (url: string): Pool => {
      const made = new Pool({
        connectionString: roleUrl(config, 'monitor', url),
        max: 1,
        connectionTimeoutMillis: PATIENCE_MS,
        query_timeout: PATIENCE_MS,
        application_name: 'stockyard-metrics-partitions',
      });
      made.on('error', () => undefined); // an idle connection that broke is replaced at the next use
      return made;
    };
    this.shards = config.shards.map(({ name, hosts, replicas }) => ({
      name,
      nodes: [...hosts, ...replicas].map(pool),
    }));
  }

  /** Never rejects: a shard of which no server answers is not among the rows. */
  async all(): Promise<PartitionHeadroom[]> {
    return (await Promise.all(this.shards.map((shard) => this.of(shard)))).flat();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.shards.flatMap(({ nodes }) => nodes.map((node) => node.end())));
  }

  private async of({ name, nodes }: Shard): Promise<PartitionHeadroom[]> {
    for (const node of nodes) {
      try {
        const { rows } = await node.query<Omit<PartitionHeadroom, 'shard'>>(HEADROOM);
        return rows.map((row) => ({ shard: name, ...row }));
      } catch {
        continue; // the next server knows the same
      }
    }
    return [];
  }
}
