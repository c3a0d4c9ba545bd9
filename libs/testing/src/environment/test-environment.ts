/**
 * An environment of its own for a spec file: a database cloned from the migrated template, a Redis key prefix nobody
 * else uses, a directory for files, and the configuration that leads there.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AppConfig, type DatabaseRole, loadConfig, roleUrl } from '#libs/config';
import { migrate } from '#libs/database';
import { MIGRATIONS } from '#migrations';
import { Client } from 'pg';
import { SERVER_VARIABLES } from '../jest/test-servers';

const TEMPLATE = 'stockyard_template';
const TEMPLATE_LOCK = 7_203_114_002;

export interface TestEnvironment {
  /** Processes under test are configured by this; log level silent, ports free for the taking (0 is not allowed: pick one). */
  readonly config: AppConfig;
  /** The same as variables, for child processes. */
  readonly variables: Readonly<Record<string, string>>;
  /** Superuser on this environment's database: sees through every wall; for arranging and checking only. */
  readonly adminUrl: string;
  /** Rows of one statement as superuser. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A connection as one of the platform's roles. The caller ends it. */
  connectAs(role: DatabaseRole): Promise<Client>;
  dispose(): Promise<void>;
}

function server(name: keyof typeof SERVER_VARIABLES): string {
  const url = process.env[SERVER_VARIABLES[name]];
  if (!url)
    throw new Error('No test servers: run integration specs through `npm test`, whose global setup starts them.');
  return url;
}

function databaseUrl(name: string, url = server('postgres')): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.toString();
}

async function withAdmin<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Clones the template, migrating it first where this run has not yet. One clone at a time: a template may not be in use. */
async function cloneTemplate(name: string): Promise<void> {
  await withAdmin(server('postgres'), async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await admin.query('select from pg_database where datname = $1 and datistemplate', [TEMPLATE]);
    if (!rowCount) {
      await admin.query(`drop database if exists ${TEMPLATE}`);
      await migrate({ config: loadConfig({ DATABASE_URL: databaseUrl(TEMPLATE) }), migrations: MIGRATIONS });
      await admin.query(`alter database ${TEMPLATE} is_template true`);
    }
    await admin.query(`create database ${name} template ${TEMPLATE}`);
  });
}

export async function createTestEnvironment(
  overrides: Readonly<Record<string, string>> = {},
): Promise<TestEnvironment> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await cloneTemplate(name);
  const files = mkdtempSync(join(tmpdir(), 'stockyard-files-'));
  const adminUrl = databaseUrl(name);
  const variables = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    DATABASE_URL: adminUrl,
    DATABASE_REPLICA_URLS: databaseUrl(name, server('replica')),
    REDIS_URL: server('redis'),
    REDIS_KEY_PREFIX: name,
    STORAGE_DIR: files,
    DATABASE_POOL_SIZE: '8',
    ...overrides,
  };
  const config = loadConfig(variables);
  return {
    config,
    variables,
    adminUrl,
    query: <Row>(sql: string, values: readonly unknown[] = []) =>
      withAdmin(adminUrl, async (client) => (await client.query(sql, [...values])).rows as Row[]),
    connectAs: async (role) => {
      const client = new Client({ connectionString: roleUrl(config, role) });
      await client.connect();
      return client;
    },
    dispose: async () => {
      rmSync(files, { recursive: true, force: true });
      await withAdmin(server('postgres'), (admin) => admin.query(`drop database if exists ${name} with (force)`));
    },
  };
}
