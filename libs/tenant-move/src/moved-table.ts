/** The tables that go with a tenant, read from the catalog in the order of their foreign keys, and their statements. */
import { type Client, escapeIdentifier } from 'pg';
import { schemaDiffers } from './move.error';

export interface MovedColumn {
  readonly name: string;
  readonly type: string;
  /** False where the relay writes it without entering as the tenant: it changes behind a fence, and loses nothing. */
  readonly fenced: boolean;
}

export interface MovedTable {
  readonly name: string;
  /** Without generated ones, which the target computes. */
  readonly columns: readonly MovedColumn[];
  /** Columns of the primary key; the first is organization_id. */
  readonly key: readonly string[];
  readonly parents: readonly string[];
  readonly partitioned: boolean;
}

const CATALOG = `
  select c.relname as name, c.relkind = 'p' as partitioned,
    (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
        'fenced', not has_column_privilege('stockyard_relay', c.oid, a.attnum, 'update')) order by a.attname)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
    (select json_agg(a.attname order by k.place) from pg_index i
      cross join lateral unnest(i.indkey::int2[]) with ordinality as k (number, place)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
      where i.indrelid = c.oid and i.indisprimary) as key,
    (select coalesce(json_agg(distinct f.relname), '[]') from pg_constraint k join pg_class f on f.oid = k.confrelid
      where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as parents
  from moved_tables() moved join pg_class c on c.oid = moved order by c.relname`;

/** Parents before children. */
export async function readMovedTables(client: Client): Promise<MovedTable[]> {
  const { rows } = await client.query<MovedTable>(CATALOG);
  return inOrderOfForeignKeys(rows);
}

/** Throws where the two shards differ in a table, a column, a type or a key. */
export function requireSameTables(source: readonly MovedTable[], target: readonly MovedTable[]): void {
  const describe = (tables: readonly MovedTable[]) =>
    new Map(tables.map((table) => [table.name, JSON.stringify(table)]));
  const [left, right] = [describe(source), describe(target)];
  const names = new Set([...left.keys(), ...right.keys()]);
  const different = [...names].filter((name) => left.get(name) !== right.get(name));
  if (different.length > 0) throw schemaDiffers(different);
}

/** A depth-first topological order (Cormen et al., Introduction to Algorithms, 20.4), stable by name. */
export function inOrderOfForeignKeys(tables: readonly MovedTable[]): MovedTable[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const ordered = new Set<MovedTable>();
  const visit = (table: MovedTable, path: readonly string[]) => {
    if (ordered.has(table)) return;
    if (path.includes(table.name))
      throw new Error(`Foreign keys go in a circle: ${[...path, table.name].join(' → ')}.`);
    for (const parent of table.parents) {
      const found = byName.get(parent);
      if (found) visit(found, [...path, table.name]);
    }
    ordered.add(table);
  };
  for (const table of tables) visit(table, []);
  return [...ordered];
}

const names = (columns: readonly { readonly name: string }[], prefix = '') =>
  columns.map(({ name }) => `${prefix}${escapeIdentifier(name)}`).join(', ');

/** `unnest($1::text[], …) as u (…)`: rows whose columns came as text, one array for each column. */
export function textInput(columns: readonly { readonly name: string }[], first = 1): string {
  return `unnest(${columns.map((_, at) => `$${at + first}::text[]`).join(', ')}) as u (${names(columns)})`;
}

/** The same columns with their types: every type reads its own text. */
const typed = (columns: readonly MovedColumn[]) =>
  columns.map(({ name, type }) => `u.${escapeIdentifier(name)}::${type}`).join(', ');

export function keyColumns(table: MovedTable): MovedColumn[] {
  return table.key.map((name) => table.columns.find((column) => column.name === name)!);
}

/** One page of the table in the order of its key; `$1` the tenant, then the key (without the tenant) to begin after. */
export function pageSql(table: MovedTable, from: 'start' | 'key', rows: number): string {
  const rest = keyColumns(table).slice(1);
  const after =
    from === 'key' && rest.length > 0
      ? `and (${names(rest)}) > (${rest.map(({ type }, at) => `$${at + 2}::text::${type}`).join(', ')})`
      : '';
  return `select ${names(table.columns)} from ${escapeIdentifier(table.name)}
    where organization_id = $1 ${after} order by ${names(keyColumns(table))} limit ${rows}`;
}

/** Rows in, whether they were there or not: a copy and a change that come twice do no harm. */
export function upsertSql(table: MovedTable): string {
  const others = table.columns.filter(({ name }) => !table.key.includes(name));
  const change =
    others.length === 0
      ? 'do nothing'
      : `do update set ${others.map(({ name }) => `${escapeIdentifier(name)} = excluded.${escapeIdentifier(name)}`).join(', ')}`;
  return `insert into ${escapeIdentifier(table.name)} (${names(table.columns)}) select ${typed(table.columns)}
    from ${textInput(table.columns)} on conflict (${names(keyColumns(table))}) ${change}`;
}

const sameKey = (table: MovedTable) =>
  keyColumns(table)
    .map(({ name, type }) => `t.${escapeIdentifier(name)} = u.${escapeIdentifier(name)}::${type}`)
    .join(' and ');

/** Deletes by key, which comes as text. */
export function deleteSql(table: MovedTable): string {
  return `delete from ${escapeIdentifier(table.name)} t using ${textInput(keyColumns(table))} where ${sameKey(table)}`;
}

/** Deletes up to `rows` rows of the tenant in `$1`. */
export function deleteSomeSql(table: MovedTable, rows: number): string {
  const key = names(keyColumns(table));
  return `delete from ${escapeIdentifier(table.name)} where organization_id = $1 and (${key}) in
    (select ${key} from ${escapeIdentifier(table.name)} where organization_id = $1 limit ${rows})`;
}

/**
 * Count and checksum of the rows of the tenant in `$1`: the sum of 64 bits of each row's MD5, which depends on no order. With
 * `keyed` only the rows whose keys come as text from `$2` on; each is looked up by itself (OFFSET 0 keeps the planner from
 * joining), because the time under a fence must not depend on how many rows the tenant has.
 */
export function digestSql(table: MovedTable, scope: 'all' | 'keyed'): string {
  const compared = names(
    table.columns.filter(({ fenced }) => fenced),
    't.',
  );
  const row = `select row(${compared})::text as line from ${escapeIdentifier(table.name)} t where t.organization_id = $1`;
  const rows =
    scope === 'all'
      ? `(${row}) r`
      : `${textInput(keyColumns(table), 2)} cross join lateral (${row} and ${sameKey(table)} offset 0) r`;
  return `select count(*)::text, coalesce(sum(('x' || left(md5(r.line), 16))::bit(64)::bigint), 0)::text from ${rows}`;
}
