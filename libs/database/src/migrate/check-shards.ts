/** What keeps this release from running on each shard, without changing anything: for `npm run migrate -- --check`. */
import { type AppConfig, roleUrl, type ShardTopology } from '#libs/config';
import type { MigrationClass } from './migration';
import { checkSchema, type SchemaViolation } from './schema-check';
import { databaseName, maintenanceUrl, withClient, writableUrl } from './shard-connection';

export interface ShardSchema {
  readonly shard: string;
  /** Empty when the release may run on it. */
  readonly violations: readonly SchemaViolation[];
  /** Why the shard could not be asked. */
  readonly away?: string;
}

const PREPARED = `
  select exists (select from pg_roles where rolname = 'stockyard_owner')
    and exists (select from pg_database where datname = $1) as prepared`;
const EMPTY = { query: () => Promise.resolve({ rows: [] }) };

/** The ledger is read as its owner: the login of the shard's URL need not be let in. */
async function checkShard(
  config: AppConfig,
  shard: ShardTopology,
  migrations: readonly MigrationClass[],
): Promise<SchemaViolation[]> {
  const url = await writableUrl(shard);
  const { rows } = await withClient(maintenanceUrl(url), (client) =>
    client.query<{ prepared: boolean }>(PREPARED, [databaseName(url)]),
  );
  if (!rows[0]!.prepared) return checkSchema(EMPTY, migrations);
  return withClient(roleUrl(config, 'owner', url), (client) => checkSchema(client, migrations));
}

/** Every shard, the home shard first, whether it answers or not. */
export function checkShards(config: AppConfig, migrations: readonly MigrationClass[]): Promise<ShardSchema[]> {
  return Promise.all(
    config.shards.map(async (shard) => {
      try {
        return { shard: shard.name, violations: await checkShard(config, shard, migrations) };
      } catch (error) {
        return { shard: shard.name, violations: [], away: (error as Error).message };
      }
    }),
  );
}
