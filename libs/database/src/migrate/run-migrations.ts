/**
 * Applies what a database lacks, each migration in a transaction of its own.
 *
 * A statement that waits for a lock makes everyone wait who comes after it, readers included. So none waits longer than
 * `lockTimeoutMs`: the migration is rolled back, lets the others pass, and is tried again after a pause that grows and is
 * jittered, up to `lockTries` times.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { StockyardError } from '#libs/kernel';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { isRetryable } from '../database.error';
import { ensureLedger, LEDGER, readLedger, recordMigration } from './ledger';
import { takeMigratorLock } from './migrator-lock';
import type { MigrationClass } from './migration';
import { checkSchema, schemaRefused } from './schema-check';

export type MigrationStep =
  | { readonly step: 'waiting' | 'roles' | 'database' }
  | { readonly step: 'migrating'; readonly migration: string }
  | { readonly step: 'migrated'; readonly migration: string; readonly ms: number }
  | {
      /** It met a lock and was rolled back; the next try follows after the pause. */
      readonly step: 'blocked';
      readonly migration: string;
      readonly attempt: number;
      readonly lockTries: number;
      readonly pauseMs: number;
    };

export interface RunOptions {
  readonly shard: string;
  /** Login of stockyard_owner. */
  readonly url: string;
  readonly migrations: readonly MigrationClass[];
  readonly lockTimeoutMs: number;
  readonly lockTries: number;
  readonly tell: (step: MigrationStep) => void;
  /** Called after each commit. */
  readonly onApplied: (migration: string) => void;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/** Between half of it and the whole, so that migrators of many shards do not come back together. */
function pauseAfter(attempt: number): number {
  const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
  return Math.round(pauseMs * (0.5 + Math.random() / 2));
}

async function inTransaction(
  runner: QueryRunner,
  instance: MigrationInterface,
  migration: MigrationClass,
): Promise<void> {
  await runner.startTransaction();
  try {
    await instance.up(runner);
    await recordMigration(runner, migration); // fails in a transaction that an error ended, even where `up` swallowed it
    await runner.commitTransaction();
  } catch (error) {
    await runner.rollbackTransaction().catch(() => undefined); // the connection may be gone; the first error counts
    throw error;
  }
}

async function applyOnce(runner: QueryRunner, migration: MigrationClass): Promise<void> {
  const instance = new migration();
  if (instance.transaction ?? true) return inTransaction(runner, instance, migration);
  await instance.up(runner);
  await recordMigration(runner, migration);
}

function lockNotAvailable({ lockTries }: RunOptions, migration: string, cause: unknown): StockyardError {
  return new StockyardError({
    code: 'migration_blocked',
    category: 'unavailable',
    message: `${migration} met locks of others in all of ${lockTries} tries; find who holds them in pg_stat_activity`,
    cause,
  });
}

async function apply(runner: QueryRunner, migration: MigrationClass, options: RunOptions): Promise<void> {
  const { lockTries, lockTimeoutMs, tell } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await runner.query(`set lock_timeout = ${lockTimeoutMs}`);
      await applyOnce(runner, migration);
      return;
    } catch (error) {
      if (!isRetryable(error)) throw new Error(`${migration.name}: ${(error as Error).message}`, { cause: error });
      if (attempt >= lockTries) throw lockNotAvailable(options, migration.name, error);
      const pauseMs = pauseAfter(attempt);
      tell({ step: 'blocked', migration: migration.name, attempt, lockTries, pauseMs });
      await delay(pauseMs);
    }
  }
}

async function applyPending(runner: QueryRunner, options: RunOptions): Promise<void> {
  const { shard, migrations, tell, onApplied } = options;
  const ask = (sql: string, values?: unknown[]) => runner.query(sql, values) as Promise<unknown[]>;
  const queryable = { query: async (sql: string) => ({ rows: await ask(sql) }) };
  // Held by the session that migrates: a statement that outlives its killed process keeps the next migrator out.
  await takeMigratorLock('database', ask, () => tell({ step: 'waiting' }));
  await runner.query('set statement_timeout = 0');
  await ensureLedger(runner);
  const tooNew = (await checkSchema(queryable, migrations)).filter(({ code }) => code === 'schema_too_new');
  if (tooNew.length > 0) throw schemaRefused(shard, tooNew);
  const applied = new Set((await readLedger(queryable)).map(({ name }) => name));
  for (const migration of migrations.filter(({ name }) => !applied.has(name))) {
    tell({ step: 'migrating', migration: migration.name });
    const startedAt = performance.now();
    await apply(runner, migration, options);
    onApplied(migration.name);
    tell({ step: 'migrated', migration: migration.name, ms: Math.round(performance.now() - startedAt) });
  }
}

/** Rejects at the first migration that fails; those before it stay applied. */
export async function runMigrations(options: RunOptions): Promise<void> {
  const dataSource = await new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: 'stockyard-migrate',
    migrationsTableName: LEDGER,
    installExtensions: false,
    logging: false,
    poolSize: 1,
    poolErrorHandler: () => undefined,
  }).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await applyPending(runner, options);
  } finally {
    await runner.release();
    await dataSource.destroy();
  }
}
