/** Databases of specs on the servers that jest's global setup started: clones of one migrated template. */
import { loadConfig } from '#libs/config';
import { migrate } from '#libs/database';
import { waitFor } from '#libs/local-stack';
import { MIGRATIONS } from '#migrations';
import { Client } from 'pg';
import { SERVER_VARIABLES } from '../jest/test-servers';

const TEMPLATE = 'stockyard_template';
const TEMPLATE_LOCK = 7_203_114_002;

/** URL of a shared server as its superuser. Throws where the global setup did not run. */
export function serverUrl(name: keyof typeof SERVER_VARIABLES): string {
  const url = process.env[SERVER_VARIABLES[name]];
  if (!url)
    throw new Error('No test servers: run integration specs through `npm test`, whose global setup starts them.');
  return url;
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.toString();
}

/** Runs `work` on one connection, which is closed afterwards. */
export async function withConnection<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export function queryAt<Row>(url: string, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  return withConnection(url, async (client) => (await client.query(sql, [...values])).rows as Row[]);
}

/**
 * Clones the template, migrating it first where this run has not yet; resolves when the replica has the clones too. One
 * at a time: a template may not be in use.
 */
export async function cloneTemplate(names: readonly string[]): Promise<void> {
  const written = await withConnection(serverUrl('postgres'), async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await admin.query('select from pg_database where datname = $1 and datistemplate', [TEMPLATE]);
    if (!rowCount) {
      await admin.query(`drop database if exists ${TEMPLATE}`);
      const config = loadConfig({ DATABASE_URL: withDatabase(serverUrl('postgres'), TEMPLATE) });
      await migrate({ config, migrations: MIGRATIONS });
      await admin.query(`alter database ${TEMPLATE} is_template true`);
    }
    for (const name of names) {
      await admin.query(`create database ${name} template ${TEMPLATE}`);
      await admin.query(`grant create on database ${name} to stockyard_owner`); // grants on a database are not cloned
    }
    const { rows } = await admin.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
    return rows[0]!.lsn;
  });
  const replayed = 'select where not pg_is_in_recovery() or pg_last_wal_replay_lsn() >= $1::pg_lsn';
  await withConnection(serverUrl('replica'), (replica) =>
    waitFor(async () => (await replica.query(replayed, [written])).rowCount, {
      what: 'the replica to have the clones',
      intervalMs: 10,
    }),
  );
}

/** Drops databases whoever is connected to them. */
export async function dropDatabases(names: readonly string[]): Promise<void> {
  await withConnection(serverUrl('postgres'), async (admin) => {
    for (const name of names) await admin.query(`drop database if exists ${name} with (force)`);
  });
}
