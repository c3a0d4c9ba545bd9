/**
 * Writes decoded changes to the target inside the transaction that the caller has opened. Neighbouring changes of one table
 * and one kind travel as one statement; everything else keeps the order of the log.
 */
import { type Client, escapeIdentifier } from 'pg';
import type { LoggedRow } from '../decode/pgoutput';
import { schemaDiffers } from '../move.error';
import { deleteSql, keyColumns, type MovedTable, upsertSql } from '../moved-table';

export type Change =
  | { readonly kind: 'insert'; readonly table: string; readonly row: LoggedRow }
  | { readonly kind: 'update'; readonly table: string; readonly row: LoggedRow; readonly key: LoggedRow | undefined }
  | { readonly kind: 'delete'; readonly table: string; readonly key: LoggedRow };

/** Values of a key in the order of the primary key. */
export type Key = readonly string[];

const RUN_ROWS = 500;

interface Run {
  readonly table: MovedTable;
  readonly kind: 'upsert' | 'delete';
  /** By key: a statement may touch a row only once. */
  readonly rows: Map<string, readonly (string | null)[]>;
}

export class ChangeWriter {
  private readonly tables: ReadonlyMap<string, MovedTable>;
  private run: Run | undefined;

  /** `touched` is told the key of every row that a change concerns. */
  constructor(
    private readonly client: Client,
    tables: readonly MovedTable[],
    private readonly touched: (table: MovedTable, key: Key) => void,
  ) {
    this.tables = new Map(tables.map((table) => [table.name, table]));
  }

  async add(change: Change): Promise<void> {
    const table = this.tables.get(change.table);
    if (!table) throw schemaDiffers([change.table]);
    if (change.kind === 'delete') {
      const key = keyOf(table, change.key);
      this.touched(table, key);
      return this.append(table, 'delete', key, key);
    }
    const key = keyOf(table, change.row);
    this.touched(table, key);
    const former = change.kind === 'update' && change.key ? keyOf(table, change.key) : undefined;
    const values = valuesOf(table, change.row);
    if (former) this.touched(table, former);
    if (!former && values) return this.append(table, 'upsert', key, values);
    await this.flush();
    await this.updateOne(table, former ?? key, change.row);
  }

  /** Sends what waits. To be called before the transaction commits. */
  async flush(): Promise<void> {
    const run = this.run;
    this.run = undefined;
    if (!run) return;
    const rows = [...run.rows.values()];
    const columns = run.kind === 'upsert' ? run.table.columns : keyColumns(run.table);
    await this.client.query(
      run.kind === 'upsert' ? upsertSql(run.table) : deleteSql(run.table),
      columns.map((_, at) => rows.map((row) => row[at])),
    );
  }

  /** Drops what waits, with the transaction it was for. */
  forget(): void {
    this.run = undefined;
  }

  private async append(table: MovedTable, kind: Run['kind'], key: Key, values: readonly (string | null)[]) {
    const id = JSON.stringify(key);
    const run = this.run;
    const fits = run?.table === table && run.kind === kind && run.rows.size < RUN_ROWS && !run.rows.has(id);
    if (!fits) await this.flush();
    this.run ??= { table, kind, rows: new Map() };
    this.run.rows.set(id, values);
  }

  /** A change of the key, or one that leaves TOASTed values as they are. */
  private async updateOne(table: MovedTable, key: Key, row: LoggedRow): Promise<void> {
    const given = table.columns.filter(({ name }) => row[name] !== undefined);
    const set = given.map(({ name, type }, at) => `${escapeIdentifier(name)} = $${at + 1}::text::${type}`);
    const where = keyColumns(table).map(
      ({ name, type }, at) => `${escapeIdentifier(name)} = $${given.length + at + 1}::text::${type}`,
    );
    const { rowCount } = await this.client.query(
      `update ${escapeIdentifier(table.name)} set ${set.join(', ')} where ${where.join(' and ')}`,
      [...given.map(({ name }) => row[name]), ...key],
    );
    if (rowCount !== 1) throw new Error(`A row of ${table.name} that was changed on the source is not on the target.`);
  }
}

function keyOf(table: MovedTable, row: LoggedRow): Key {
  return table.key.map((name) => {
    const value = row[name];
    if (typeof value !== 'string') throw schemaDiffers([table.name]);
    return value;
  });
}

/** Every column's value in order; undefined where one is not in the log. */
function valuesOf(table: MovedTable, row: LoggedRow): (string | null)[] | undefined {
  if (Object.keys(row).length !== table.columns.length) throw schemaDiffers([table.name]);
  const values: (string | null)[] = [];
  for (const { name } of table.columns) {
    if (!(name in row)) throw schemaDiffers([table.name]);
    const value = row[name];
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}
