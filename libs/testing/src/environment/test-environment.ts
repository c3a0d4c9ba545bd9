/**
 * An environment of its own for a spec file: a database cloned from the migrated template, or one for each shard, a Redis
 * key prefix nobody else uses, a directory for files, and the configuration that leads there.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AppConfig, type DatabaseRole, HOME_SHARD, loadConfig, roleUrl } from '#libs/config';
import { Client } from 'pg';
import { COMPILE_CACHE } from '../jest/compile-cache';
import { POOLER_VARIABLES, THROUGH_POOLERS } from '../jest/test-servers';
import { cloneTemplate, dropDatabases, queryAt, serverUrl, withDatabase } from './test-databases';

export interface TestShard {
  readonly name: string;
  /** Superuser on this shard's database, past any pooler. */
  readonly adminUrl: string;
  /** Rows of one statement as superuser. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface TestEnvironment {
  /** Processes under test are configured by this; log level silent, ports free for the taking (0 is not allowed: pick one). */
  readonly config: AppConfig;
  /** The same as variables, for child processes. */
  readonly variables: Readonly<Record<string, string>>;
  /** The home shard first. */
  readonly shards: readonly TestShard[];
  /** Superuser on the home shard's database: sees through every wall; for arranging and checking only. */
  readonly adminUrl: string;
  /** Rows of one statement as superuser on the home shard. */
  query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A connection as one of the platform's roles, past any pooler, to the home shard or a one-host URL. The caller ends it. */
  connectAs(role: DatabaseRole, url?: string): Promise<Client>;
  dispose(): Promise<void>;
}

export interface TestEnvironmentOptions {
  /** Databases on the one shared server, each a shard to the processes. Default 1. */
  readonly shards?: number;
}

const SHARD_NAMES = [HOME_SHARD, 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];

/** Names of the first `count` shards, the home shard first. */
export function shardNames(count: number): string[] {
  if (count < 1 || count > SHARD_NAMES.length) throw new RangeError(`1 to ${SHARD_NAMES.length} shards.`);
  return SHARD_NAMES.slice(0, count);
}

/** What leads to a shard: the URL of its hosts, and those of its replicas. */
export interface ShardUrls {
  readonly name: string;
  readonly url: string;
  readonly replicaUrls: readonly string[];
}

/** The variables that lead processes to shards, the home shard first. */
export function shardVariables([home, ...others]: readonly ShardUrls[]): Record<string, string> {
  const shards = others.map(({ name, url, replicaUrls }) => [name, { url, replica_urls: replicaUrls }] as const);
  return {
    DATABASE_URL: home!.url,
    DATABASE_REPLICA_URLS: home!.replicaUrls.join(','),
    ...(shards.length > 0 && { DATABASE_SHARDS: JSON.stringify(Object.fromEntries(shards)) }),
  };
}

/** The variables of every environment of specs, and how to delete what belongs to them. */
export function commonVariables(prefix: string): { variables: Record<string, string>; dispose(): void } {
  const files = mkdtempSync(join(tmpdir(), 'stockyard-files-'));
  return {
    variables: {
      NODE_ENV: 'test',
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      LOG_LEVEL: 'silent',
      REDIS_URL: serverUrl('redis'),
      REDIS_KEY_PREFIX: prefix,
      STORAGE_DIR: files,
      DATABASE_POOL_SIZE: '8',
      SHUTDOWN_NOTICE_MS: '500', // no balancer has to notice
      RATE_LIMIT_MEMORY_MS: '1', // specs start limits afresh by deleting their keys
    },
    dispose: () => rmSync(files, { recursive: true, force: true }),
  };
}

export async function connectedAs(config: AppConfig, role: DatabaseRole, url: string): Promise<Client> {
  const client = new Client({ connectionString: roleUrl(config, role, url) });
  await client.connect();
  return client;
}

/** Where processes reach the shared servers: through a pooler where the jest project says so, else directly. */
function waysIn(): { primary: string; replica: string; variables: Record<string, string> } {
  if (process.env[THROUGH_POOLERS] !== 'yes')
    return { primary: serverUrl('postgres'), replica: serverUrl('replica'), variables: {} };
  const [primary, replica] = [POOLER_VARIABLES.postgres, POOLER_VARIABLES.replica].map((name) => process.env[name]);
  if (!primary || !replica) throw new Error('No poolers: run this project through `npm run test:topology`.');
  return { primary, replica, variables: { DATABASE_PREPARED_STATEMENTS: 'off' } };
}

export async function createTestEnvironment(
  overrides: Readonly<Record<string, string>> = {},
  { shards: count = 1 }: TestEnvironmentOptions = {},
): Promise<TestEnvironment> {
  const prefix = `test_${randomBytes(6).toString('hex')}`;
  const databases = shardNames(count).map((name, index) => ({ name, database: index ? `${prefix}_${name}` : prefix }));
  await cloneTemplate(databases.map(({ database }) => database));
  const ways = waysIn();
  const urls = databases.map(({ name, database }) => ({
    name,
    url: withDatabase(ways.primary, database),
    replicaUrls: [withDatabase(ways.replica, database)],
  }));
  const common = commonVariables(prefix);
  const variables = { ...common.variables, ...ways.variables, ...shardVariables(urls), ...overrides };
  const config = loadConfig(variables);
  const shards = databases.map(({ name, database }): TestShard => {
    const adminUrl = withDatabase(serverUrl('postgres'), database);
    return { name, adminUrl, query: (sql, values) => queryAt(adminUrl, sql, values) };
  });
  const home = shards[0]!;
  return {
    config,
    variables,
    shards,
    adminUrl: home.adminUrl,
    query: (sql, values) => home.query(sql, values),
    connectAs: (role, url = home.adminUrl) => connectedAs(config, role, url),
    dispose: async () => {
      common.dispose();
      await dropDatabases(databases.map(({ database }) => database));
    },
  };
}
