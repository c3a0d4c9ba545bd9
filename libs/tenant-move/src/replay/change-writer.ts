/**
 * Writes decoded changes to the target inside the transaction that the caller has opened. Of all changes of a batch only what
 * they make of each row is written, in one statement for each table: deletions first, children before parents, then
 * the rest, parents before children. Where that order meets a constraint (two rows that exchange a unique value)
 * the batch is written once more, change by change in the order of the log.
 */
import { type Client, escapeIdentifier } from 'pg';
import { sqlState } from '../connection';
import type { LoggedRow } from '../decode/pgoutput';
import { schemaDiffers } from '../move.error';
import { deleteSql, keyColumns, type MovedTable, upsertSql } from '../moved-table';

export type Change =
  | { readonly kind: 'insert'; readonly table: string; readonly row: LoggedRow }
  | { readonly kind: 'update'; readonly table: string; readonly row: LoggedRow; readonly key: LoggedRow | undefined }
  | { readonly kind: 'delete'; readonly table: string; readonly key: LoggedRow };

/** Values of a key in the order of the primary key. */
export type Key = readonly string[];

/** What a row becomes; `row` undefined: it is gone. Columns that are undefined in it stay as they are. */
interface Outcome {
  readonly table: MovedTable;
  readonly key: Key;
  readonly row: LoggedRow | undefined;
}

/** SQLSTATE class of violated constraints. */
const INTEGRITY = '23';

export class ChangeWriter {
  private readonly tables: ReadonlyMap<string, MovedTable>;
  private readonly log: Outcome[] = [];

  /** `touched` is told the key of every row that a change concerns. */
  constructor(
    private readonly client: Client,
    tables: readonly MovedTable[],
    private readonly touched: (table: MovedTable, key: Key) => void,
  ) {
    this.tables = new Map(tables.map((table) => [table.name, table]));
  }

  /** Changes that wait for {@link flush}. */
  get waiting(): number {
    return this.log.length;
  }

  add(change: Change): void {
    const table = this.tables.get(change.table);
    if (!table) throw schemaDiffers([change.table]);
    if (change.kind === 'delete') {
      this.note({ table, key: keyOf(table, change.key), row: undefined });
      return;
    }
    requireKnownColumns(table, change.row);
    const key = keyOf(table, change.row);
    if (change.kind === 'update' && change.key) {
      // A changed key is a deletion and a new row. TOASTed values that did not change are in the log then
      // only if they belong to the key, so such a row cannot be made anew.
      if (!isWhole(change.row))
        throw new Error(`A row of ${table.name} changed its key beside values that are not in the log.`);
      this.note({ table, key: keyOf(table, change.key), row: undefined });
    }
    this.note({ table, key, row: change.row });
  }

  /** Sends what waits. To be called before the transaction commits. */
  async flush(): Promise<void> {
    const log = this.log.splice(0);
    if (log.length === 0) return;
    await this.client.query('savepoint changes');
    try {
      await this.write(lastOutcomes(log));
    } catch (error) {
      if (!sqlState(error)?.startsWith(INTEGRITY)) throw error;
      await this.client.query('rollback to savepoint changes');
      for (const outcome of log) await this.write([outcome]);
    }
  }

  /** Drops what waits, with the transaction it was for. */
  forget(): void {
    this.log.length = 0;
  }

  private note(outcome: Outcome): void {
    this.touched(outcome.table, outcome.key);
    this.log.push(outcome);
  }

  /** At most one outcome for each row. */
  private async write(outcomes: readonly Outcome[]): Promise<void> {
    const parentsFirst = [...this.tables.values()].map((table) => ({
      table,
      outcomes: outcomes.filter((outcome) => outcome.table === table),
    }));
    for (const { table, outcomes: all } of [...parentsFirst].reverse()) {
      const keys = all.filter(({ row }) => !row).map(({ key }) => key);
      if (keys.length > 0) await this.send(`delete_${table.name}`, deleteSql(table), keyColumns(table).length, keys);
    }
    for (const { table, outcomes: all } of parentsFirst) {
      const rows = all.flatMap(({ row }) => (row && isWhole(row) ? [table.columns.map(({ name }) => row[name]!)] : []));
      if (rows.length > 0) await this.send(`upsert_${table.name}`, upsertSql(table), table.columns.length, rows);
      for (const { row, key } of all) if (row && !isWhole(row)) await this.updatePart(table, key, row);
    }
  }

  private async send(
    name: string,
    text: string,
    columns: number,
    rows: readonly (readonly (string | null)[])[],
  ): Promise<void> {
    const values = Array.from({ length: columns }, (_, at) => rows.map((row) => row[at]));
    await this.client.query({ name, text, values });
  }

  private async updatePart(table: MovedTable, key: Key, row: LoggedRow): Promise<void> {
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

/** The outcome of each row after all of them. */
function lastOutcomes(log: readonly Outcome[]): Outcome[] {
  const outcomes = new Map<string, Outcome>();
  for (const outcome of log) {
    const id = JSON.stringify([outcome.table.name, outcome.key]);
    const former = outcomes.get(id)?.row;
    const row = former && outcome.row ? { ...former, ...defined(outcome.row) } : outcome.row;
    outcomes.set(id, { ...outcome, row });
  }
  return [...outcomes.values()];
}

const defined = (row: LoggedRow) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));

const isWhole = (row: LoggedRow) => Object.values(row).every((value) => value !== undefined);

function keyOf(table: MovedTable, row: LoggedRow): Key {
  return table.key.map((name) => {
    const value = row[name];
    if (typeof value !== 'string') throw schemaDiffers([table.name]);
    return value;
  });
}

function requireKnownColumns(table: MovedTable, row: LoggedRow): void {
  const isKnown = table.columns.every(({ name }) => name in row) && Object.keys(row).length === table.columns.length;
  if (!isKnown) throw schemaDiffers([table.name]);
}
