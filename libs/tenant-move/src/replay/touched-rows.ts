/** Keys of the rows that have changed since the two sides were compared as a whole: all that a fence has to compare. */
import type { MovedTable } from '../moved-table';
import type { Key } from './change-writer';

export class TouchedRows {
  private readonly keys = new Map<MovedTable, Map<string, Key>>();
  private count = 0;

  add(table: MovedTable, key: Key): void {
    let rows = this.keys.get(table);
    if (!rows) this.keys.set(table, (rows = new Map<string, Key>()));
    const id = JSON.stringify(key);
    if (rows.has(id)) return;
    rows.set(id, key);
    this.count += 1;
  }

  get size(): number {
    return this.count;
  }

  /** For each table its keys, as one array for each column of the key. */
  *byTable(): Generator<{ readonly table: MovedTable; readonly columns: string[][] }> {
    for (const [table, rows] of this.keys) {
      const keys = [...rows.values()];
      yield { table, columns: table.key.map((_, at) => keys.map((key) => key[at]!)) };
    }
  }
}
