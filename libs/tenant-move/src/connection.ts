/** Connections of the mover: values as text exactly as Postgres writes them. */
import { Client } from 'pg';

/** As Postgres' own replication sets them, so that text read on one server means the same on another. */
const SESSION =
  '-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c bytea_output=hex -c timezone=UTC -c jit=off';

const CONNECT_MS = 5_000;

export async function connectMover(url: string, options: { readonly replication?: boolean } = {}): Promise<Client> {
  const client = new Client({
    connectionString: url,
    options: SESSION,
    application_name: 'stockyard-move',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    ...(options.replication ? { replication: 'database' } : {}),
  });
  client.on('error', () => undefined); // the statement under way or the next one rejects
  await client.connect();
  return client;
}

/** Ends a connection without waiting for a server that may be silent; the statement under way rejects. */
export function cutOff(client: Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** A row as text; null is SQL's null. */
export type TextRow = (string | null)[];

const AS_TEXT = { getTypeParser: () => (value: string) => value };

export async function textRows(client: Client, text: string, values: readonly unknown[]): Promise<TextRow[]> {
  const { rows } = await client.query<TextRow>({ text, values: [...values], rowMode: 'array', types: AS_TEXT });
  return rows;
}

/** SQLSTATE of an error of the server. */
export function sqlState(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}
