/** What keeps this release from running on each shard, without changing anything: for `npm run migrate -- --check`. */
import type { AppConfig, ShardTopology } from '#libs/config';
import type { MigrationClass } from './migration';
import { checkSchema, type SchemaViolation } from './schema-check';
import { withClient, writableUrl } from './shard-connection';

export interface ShardSchema {
  readonly shard: string;
  /** Empty when the release may run on it. */
  readonly violations: readonly SchemaViolation[];
  /** Why the shard could not be asked. */
  readonly away?: string;
}

const NO_DATABASE = '3D000';

async function checkShard(shard: ShardTopology, migrations: readonly MigrationClass[]): Promise<SchemaViolation[]> {
  const url = await writableUrl(shard);
  try {
    return await withClient(url, (client) => checkSchema(client, migrations));
  } catch (error) {
    if ((error as { code?: string }).code !== NO_DATABASE) throw error;
    return checkSchema({ query: () => Promise.resolve({ rows: [] }) }, migrations);
  }
}

/** Every shard, the home shard first, whether it answers or not. */
export function checkShards(
  config: Pick<AppConfig, 'shards'>,
  migrations: readonly MigrationClass[],
): Promise<ShardSchema[]> {
  return Promise.all(
    config.shards.map(async (shard) => {
      try {
        return { shard: shard.name, violations: await checkShard(shard, migrations) };
      } catch (error) {
        return { shard: shard.name, violations: [], away: (error as Error).message };
      }
    }),
  );
}
