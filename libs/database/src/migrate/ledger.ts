/**
 * The ledger of a database: which migrations it has, and which of them a process must know to run on it. The table is the
 * one TypeORM keeps (its own commands read and undo it), with a column more.
 */
import type { QueryRunner } from 'typeorm';
import type { Queryable } from '../wall/wall-check';
import { type MigrationClass, neededBy } from './migration';

export const LEDGER = 'schema_migrations';

export interface LedgerEntry {
  readonly name: string;
  /** A process that does not know the migration of this name must not run; null where any may. */
  readonly needs: string | null;
}

const READERS = 'stockyard_app, stockyard_relay, stockyard_control, stockyard_monitor, stockyard_mover';
const NO_LEDGER = new Set(['42P01', '42501']);

/** Makes the table where it is missing, with the column and the grants that older ledgers lack. */
export async function ensureLedger(runner: QueryRunner): Promise<void> {
  await runner.query(`
    create table if not exists ${LEDGER} (
      id serial primary key, "timestamp" bigint not null, name character varying not null)`);
  const [column] = (await runner.query(
    'select from pg_attribute where attrelid = $1::regclass and attname = $2 and not attisdropped',
    [LEDGER, 'needs'],
  )) as unknown[];
  if (!column) await runner.query(`alter table ${LEDGER} add column needs text`);
  await runner.query(`grant select on ${LEDGER} to ${READERS}`);
}

/** What is applied, oldest first. A ledger that is missing, or that an older migrator closed to this role, has no entry. */
export async function readLedger(database: Queryable): Promise<LedgerEntry[]> {
  try {
    const { rows } = await database.query(`select name, to_jsonb(m) ->> 'needs' as needs from ${LEDGER} m order by id`);
    return rows as LedgerEntry[];
  } catch (error) {
    if (NO_LEDGER.has((error as { code?: string }).code ?? '')) return [];
    throw error;
  }
}

/** Enters a migration, in the transaction that applied it where there is one. */
export async function recordMigration(runner: QueryRunner, migration: MigrationClass): Promise<void> {
  const timestamp = Number(migration.name.slice(-13));
  await runner.query(`insert into ${LEDGER} ("timestamp", name, needs) values ($1, $2, $3)`, [
    timestamp,
    migration.name,
    neededBy(migration),
  ]);
}
