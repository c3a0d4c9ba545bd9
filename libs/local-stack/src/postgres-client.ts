// One-off statements as the superuser of a local Postgres.
import { Client, type QueryResultRow } from 'pg';

export const SUPERUSER = 'postgres';

export interface PostgresAddress {
  readonly port: number;
  readonly password: string;
  /** Default "postgres". */
  readonly database?: string;
}

/** Runs `work` on one connection, which is closed afterwards. Connecting may take 15 seconds. */
export async function withClient<T>(address: PostgresAddress, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    host: '127.0.0.1',
    port: address.port,
    user: SUPERUSER,
    password: address.password,
    database: address.database ?? 'postgres',
    connectionTimeoutMillis: 15_000,
    ssl: false,
  });
  client.on('error', () => undefined); // the statement under way rejects; an idle connection may just go
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The rows of one statement on a connection of its own. */
export function queryOnce<R extends QueryResultRow>(
  address: PostgresAddress,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  return withClient(address, async (client) => (await client.query<R>(text, [...values])).rows);
}
