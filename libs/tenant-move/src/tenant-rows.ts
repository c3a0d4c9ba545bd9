/** The rows of a tenant as a whole: copied under a snapshot, deleted in batches, compared. */
import { beginAsTenant, inTenantTransaction } from '#libs/database';
import type { Client } from 'pg';
import { type TextRow, textRows } from './connection';
import { deleteSomeSql, digestSql, type MovedTable, pageSql, upsertSql } from './moved-table';
import type { TouchedRows } from './replay/touched-rows';

export interface CopyOptions {
  readonly source: Client;
  readonly target: Client;
  readonly tenant: string;
  readonly tables: readonly MovedTable[];
  readonly snapshot: string;
  readonly pageRows: number;
  /** Last in each transaction on the target. */
  readonly seal: () => Promise<void>;
  readonly onRows: (rows: number) => void;
}

/** Copies table by table, parents first, in pages of the primary key (keyset pagination). */
export async function copyRows(options: CopyOptions): Promise<void> {
  const { source, tenant } = options;
  await beginAsTenant(source, tenant, { repeatable: true, snapshot: options.snapshot });
  try {
    for (const table of options.tables) await copyTable(table, options);
  } finally {
    await source.query('rollback').catch(() => undefined);
  }
}

/** While a page is written, the next one is read. */
async function copyTable(table: MovedTable, options: CopyOptions): Promise<void> {
  const keyAt = table.key.slice(1).map((name) => table.columns.findIndex((column) => column.name === name));
  const read = (after: TextRow | undefined) =>
    textRows(options.source, pageSql(table, after ? 'key' : 'start', options.pageRows), [
      options.tenant,
      ...(after ? keyAt.map((at) => after[at]) : []),
    ]);
  let page = await read(undefined);
  while (page.length > 0) {
    const isLast = page.length < options.pageRows || keyAt.length === 0;
    const [next] = await Promise.all([isLast ? [] : read(page.at(-1)), writePage(table, page, options)]);
    options.onRows(page.length);
    page = next;
  }
}

async function writePage(table: MovedTable, page: readonly TextRow[], options: CopyOptions): Promise<void> {
  const { target, tenant } = options;
  await inTenantTransaction(target, tenant, async () => {
    const values = table.columns.map((_, at) => page.map((row) => row[at]));
    await target.query({ name: `copy_${table.name}`, text: upsertSql(table), values });
    await options.seal();
  });
}

export interface DeleteOptions {
  readonly client: Client;
  readonly tenant: string;
  readonly tables: readonly MovedTable[];
  readonly rows: number;
  /** Last in each transaction; may throw to stop. */
  readonly seal: () => Promise<void>;
  readonly onRows?: (rows: number) => void;
}

/** Deletes every row of the tenant, children before parents, a bounded number in each transaction. */
export async function deleteRows(options: DeleteOptions): Promise<void> {
  const { client, tenant } = options;
  for (const table of [...options.tables].reverse()) {
    const text = deleteSomeSql(table, options.rows);
    let deleted: number;
    do {
      deleted = await inTenantTransaction(client, tenant, async () => {
        const { rowCount } = await client.query(text, [tenant]);
        await options.seal();
        return rowCount ?? 0;
      });
      options.onRows?.(deleted);
    } while (deleted === options.rows);
  }
}

/**
 * Names of the tables in which the tenant's rows differ. Both clients are inside a transaction of the tenant. With `touched`
 * only those rows are compared.
 */
export async function differingTables(
  sides: { readonly source: Client; readonly target: Client },
  tenant: string,
  what: readonly MovedTable[] | TouchedRows,
): Promise<string[]> {
  const different: string[] = [];
  const parts = 'byTable' in what ? what.byTable() : what.map((table) => ({ table, columns: undefined }));
  for (const { table, columns } of parts) {
    const text = digestSql(table, columns ? 'keyed' : 'all');
    const values = [tenant, ...(columns ?? [])];
    const [left, right] = await Promise.all([
      textRows(sides.source, text, values),
      textRows(sides.target, text, values),
    ]);
    if (JSON.stringify(left) !== JSON.stringify(right)) different.push(table.name);
  }
  return different;
}
