/**
 * A tenant's rows as lines of JSON and back. Every value travels as the text that its type writes and reads, so that nothing
 * is lost on the way: microseconds, bigints, bytes, arrays, the exact text of a `json` column. Inside a tenant transaction.
 */
import { type ClientBase, escapeIdentifier } from 'pg';
import type { TenantTable } from './tenant-tables';

const PAGE = 500;

/** The rows of a table by pages, in the order of its primary key: one JSON object of texts each, without line breaks. */
export async function* readRows(client: ClientBase, tenant: string, table: TenantTable): AsyncGenerator<string[]> {
  const columns = table.columns.map(({ name }) => `${escapeIdentifier(name)}::text`).join(', ');
  const order = table.primaryKey.map((name) => `t.${escapeIdentifier(name)}`).join(', ');
  await client.query("set local timezone = 'UTC'");
  await client.query(
    `declare rows no scroll cursor for
     select row_to_json(texts)::text as line from (select ${columns} from ${escapeIdentifier(table.name)} t
       where organization_id = ${client.escapeLiteral(tenant)} order by ${order}) texts`,
  );
  for (let count = PAGE; count === PAGE;) {
    const { rows } = await client.query<{ line: string }>(`fetch ${PAGE} from rows`);
    if (rows.length > 0) yield rows.map(({ line }) => line);
    count = rows.length;
  }
  await client.query('close rows');
}

/** Inserts lines that `readRows` made; the month of each row must exist. Resolves with the number of rows. */
export async function insertRows(client: ClientBase, table: TenantTable, lines: readonly string[]): Promise<number> {
  const columns = table.columns.map(({ name }) => escapeIdentifier(name)).join(', ');
  const values = table.columns.map(({ name, type }) => `(line ->> ${client.escapeLiteral(name)})::${type}`).join(', ');
  const { rowCount } = await client.query(
    `insert into ${escapeIdentifier(table.name)} (${columns})
     select ${values} from json_array_elements($1::json) with ordinality as lines (line, position) order by position`,
    [`[${lines.join(',')}]`],
  );
  return rowCount ?? 0;
}

/** Deletes up to `limit` rows of a tenant; resolves with how many. */
export async function deleteRows(
  client: ClientBase,
  tenant: string,
  { name, primaryKey }: TenantTable,
  limit: number,
): Promise<number> {
  const key = primaryKey.map(escapeIdentifier).join(', ');
  const table = escapeIdentifier(name);
  const { rowCount } = await client.query(
    `delete from ${table} where organization_id = $1 and (${key}) in
       (select ${key} from ${table} where organization_id = $1 limit ${limit})`,
    [tenant],
  );
  return rowCount ?? 0;
}

/** How many rows of a tenant a table holds. */
export async function countRows(client: ClientBase, tenant: string, { name }: TenantTable): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `select count(*) from ${escapeIdentifier(name)} where organization_id = $1`,
    [tenant],
  );
  return Number(rows[0]!.count);
}
