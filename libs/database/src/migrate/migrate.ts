/**
 * Brings a database to this release: makes the database and the roles where they are missing, then runs the
 * migrations as `stockyard_owner`. One migrator at a time (session advisory lock); safe to run again.
 */
import type { AppConfig, DatabaseRole } from '#libs/config';
import { roleUrl } from '#libs/config';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';

export interface MigrateProgress {
  readonly step: string;
}

export interface MigrateOptions {
  /** DATABASE_URL must log in as a role that may create roles and databases. */
  readonly config: AppConfig;
  readonly migrations: NonNullable<DataSourceOptions['migrations']>;
  readonly onProgress?: (progress: MigrateProgress) => void;
}

const ROLES: readonly DatabaseRole[] = ['owner', 'app', 'relay', 'control', 'monitor', 'mover'];
const LOCK_KEY = 7_203_114_001;
const LOCK_TIMEOUT_MS = 5_000;

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'stockyard-migrate' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function databaseName(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || 'stockyard';
}

function maintenanceUrl(url: string): string {
  const parsed = new URL(url);
  parsed.pathname = '/postgres';
  return parsed.toString();
}

async function ensureRoles(client: Client, config: AppConfig): Promise<void> {
  for (const role of ROLES) {
    const name = `stockyard_${role}`;
    const password = decodeURIComponent(new URL(roleUrl(config, role)).password);
    const { rowCount } = await client.query('select from pg_roles where rolname = $1', [name]);
    const verb = rowCount ? 'alter' : 'create';
    await client.query(
      `${verb} role ${name} login noinherit nosuperuser nocreatedb nocreaterole nobypassrls
        ${role === 'mover' ? 'replication' : 'noreplication'} password ${escapeLiteral(password)}`,
    );
  }
  await client.query(`alter role stockyard_app set statement_timeout = ${config.DATABASE_STATEMENT_TIMEOUT_MS}`);
  await client.query('alter role stockyard_app set idle_in_transaction_session_timeout = 60000');
  // Compiling costs more than any statement of a request runs; estimates over JSON input trigger it all the same.
  await client.query('alter role stockyard_app set jit = off');
  await client.query(`alter role stockyard_owner set lock_timeout = ${LOCK_TIMEOUT_MS}`);
}

async function ensureDatabase(client: Client, name: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
  if (!rowCount) await client.query(`create database ${escapeIdentifier(name)}`);
}

async function handOver(client: Client, name: string): Promise<void> {
  const { rows } = await client.query<{ super: boolean }>(
    'select rolsuper as super from pg_roles where rolname = current_user',
  );
  if (!rows[0]?.super) await client.query('grant stockyard_owner to current_user');
  await client.query(`grant create, connect, temporary on database ${escapeIdentifier(name)} to stockyard_owner`);
  await client.query('alter schema public owner to stockyard_owner');
  await client.query('revoke create on schema public from public');
}

async function runMigrations(options: MigrateOptions): Promise<string[]> {
  const dataSource = await new DataSource({
    type: 'postgres',
    url: roleUrl(options.config, 'owner'),
    applicationName: 'stockyard-migrate',
    migrations: options.migrations,
    migrationsTableName: 'schema_migrations',
    installExtensions: false,
    logging: false,
    poolSize: 2,
  }).initialize();
  try {
    const done = await dataSource.runMigrations({ transaction: 'each' });
    return done.map((migration) => migration.name);
  } finally {
    await dataSource.destroy();
  }
}

/** Names of the migrations that were applied by this call; empty when the schema was up to date. */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const { DATABASE_URL: url } = options.config;
  const tell = (step: string) => options.onProgress?.({ step });
  return withClient(maintenanceUrl(url), async (admin) => {
    // Roles belong to the whole cluster, so the lock is taken in the maintenance database.
    await admin.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    tell('roles');
    await ensureRoles(admin, options.config);
    tell('database');
    await ensureDatabase(admin, databaseName(url));
    await withClient(url, (client) => handOver(client, databaseName(url)));
    tell('migrations');
    return runMigrations(options);
  });
}
