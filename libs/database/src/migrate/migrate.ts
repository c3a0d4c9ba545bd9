/**
 * Brings every shard to this release, one after another, the home shard first: makes roles and database where they are
 * missing, then applies the migrations as `stockyard_owner`. One migrator at a time for each shard; safe to run again, and a
 * run that ended early is continued by the next one.
 */
import { type AppConfig, roleUrl, type ShardTopology } from '#libs/config';
import { ensureDatabase, handOver } from './ensure-database';
import { ensureRoles } from './ensure-roles';
import { migrationFailed, type ShardMigrations } from './migrate.error';
import type { MigrationClass } from './migration';
import { takeMigratorLock } from './migrator-lock';
import { type MigrationStep, runMigrations } from './run-migrations';
import { databaseName, maintenanceUrl, withClient, writableUrl } from './shard-connection';

export type MigrateProgress = MigrationStep & { readonly shard: string };

export interface MigrateOptions {
  /** The shards' URLs must log in as a role that may create what is missing of roles and databases. */
  readonly config: AppConfig;
  /** Oldest first. */
  readonly migrations: readonly MigrationClass[];
  readonly onProgress?: (progress: MigrateProgress) => void;
}

async function migrateShard(options: MigrateOptions, shard: ShardTopology, applied: string[]): Promise<void> {
  const { config, migrations, onProgress } = options;
  const tell = (step: MigrationStep) => onProgress?.({ shard: shard.name, ...step });
  const url = await writableUrl(shard);
  await withClient(maintenanceUrl(url), async (admin) => {
    await takeMigratorLock(
      'cluster', // roles belong to all of it
      async (sql, values) => (await admin.query<object>(sql, values)).rows,
      () => tell({ step: 'waiting' }),
    );
    tell({ step: 'roles' });
    await ensureRoles(admin, config, maintenanceUrl(url));
    tell({ step: 'database' });
    await ensureDatabase(admin, databaseName(url));
    await withClient(url, (client) => handOver(client, databaseName(url)));
    await runMigrations({
      shard: shard.name,
      url: roleUrl(config, 'owner', url),
      migrations,
      lockTimeoutMs: config.DATABASE_MIGRATION_LOCK_MS,
      lockTries: config.DATABASE_MIGRATION_LOCK_TRIES,
      tell,
      onApplied: (migration) => applied.push(migration),
    });
  });
}

/** What this call applied, by shard. Rejects at the first shard that fails, with an error that says what was done. */
export async function migrate(options: MigrateOptions): Promise<ShardMigrations[]> {
  const done: ShardMigrations[] = [];
  for (const shard of options.config.shards) {
    const applied: string[] = [];
    try {
      await migrateShard(options, shard, applied);
    } catch (error) {
      throw migrationFailed(shard.name, applied.length > 0 ? [...done, { shard: shard.name, applied }] : done, error);
    }
    done.push({ shard: shard.name, applied });
  }
  return done;
}
