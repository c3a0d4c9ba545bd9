/** The shards as operators see them: what each holds, and how its servers are. */
import { Inject, Injectable } from '@nestjs/common';
import { HOME_SHARD } from '#libs/config';
import { CONTROL_POOL, type NodeSnapshot, type PrimaryPool, ShardFanOut, Shards } from '#libs/database';

export interface ShardOverview {
  readonly name: string;
  readonly isHome: boolean;
  readonly nodes: readonly NodeSnapshot[];
  /** Buckets that the directory maps to it; null while the directory is away. */
  readonly buckets: number | null;
  /** Tenants by the state of their place on it; null where the shard did not answer. */
  readonly tenants: Readonly<Record<string, number>> | null;
  readonly databaseBytes: number | null;
}

export interface ShardsOverview {
  readonly shards: readonly ShardOverview[];
  /** Shards that did not answer in time; what stands of them is what this process knows by itself. */
  readonly missing: readonly string[];
}

interface Held {
  readonly tenants: Readonly<Record<string, number>>;
  readonly bytes: number;
}

const HELD = `select coalesce((select jsonb_object_agg(state, tenants) from
    (select state, count(*)::integer as tenants from tenant_places group by state) counted), '{}') as tenants,
  pg_database_size(current_database())::bigint as bytes`;
const BUCKETS = 'select shard, count(*)::integer as buckets from shard_buckets group by shard';

@Injectable()
export class ShardOverviewService {
  constructor(
    private readonly shards: Shards,
    private readonly fanOut: ShardFanOut,
    @Inject(CONTROL_POOL) private readonly directory: PrimaryPool,
  ) {}

  /** Never rejects for a shard that is away. */
  async overview(): Promise<ShardsOverview> {
    const [held, buckets] = await Promise.all([this.fanOut.ask(({ name }) => this.held(name)), this.buckets()]);
    const nodes = this.shards.snapshot();
    const shards = this.shards.all().map(({ name }): ShardOverview => {
      const answer = held.answers.find(({ shard }) => shard === name)?.value;
      return {
        name,
        isHome: name === HOME_SHARD,
        nodes: nodes.filter(({ shard }) => shard === name),
        buckets: buckets && (buckets.get(name) ?? 0),
        tenants: answer?.tenants ?? null,
        databaseBytes: answer?.bytes ?? null,
      };
    });
    return { shards, missing: held.missing };
  }

  private async held(shard: string): Promise<Held> {
    return (await this.shards.pool(shard, 'control').query<Held>(HELD)).rows[0]!;
  }

  private async buckets(): Promise<ReadonlyMap<string, number> | null> {
    try {
      const { rows } = await this.directory.queryAnywhere<{ shard: string; buckets: number }>(BUCKETS);
      return new Map(rows.map(({ shard, buckets }) => [shard, buckets]));
    } catch {
      return null;
    }
  }
}
