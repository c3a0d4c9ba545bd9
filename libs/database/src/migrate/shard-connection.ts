/** Connections of the migrator: to whichever host of a shard takes writes, as the login of its URL. */
import type { ShardTopology } from '#libs/config';
import { Client } from 'pg';
import { shardAway } from './migrate.error';

const CONNECT_TIMEOUT_MS = 5_000;

/** Runs work on a connection of its own and ends it. A connection that is lost between statements fails the next one. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: url,
    application_name: 'stockyard-migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export function databaseName(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1)) || 'stockyard';
}

/** The same server's database that is there before ours is. */
export function maintenanceUrl(url: string): string {
  const parsed = new URL(url);
  parsed.pathname = '/postgres';
  return parsed.toString();
}

/** Why a connection failed, without its URL. A host with several addresses fails with one error for each and no text. */
function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return message || code || String(error);
}

/** The URL of the host that takes writes. Throws `shard_away` that names what each host answered. */
export async function writableUrl(shard: ShardTopology): Promise<string> {
  const answers: string[] = [];
  for (const url of shard.hosts) {
    const { host } = new URL(url);
    try {
      const standby = await withClient(maintenanceUrl(url), async (client) => {
        const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
        return rows[0]!.standby;
      });
      if (!standby) return url;
      answers.push(`${host} is a standby`);
    } catch (error) {
      answers.push(`${host}: ${reasonOf(error)}`);
    }
  }
  throw shardAway(shard.name, answers);
}
