/**
 * What each resource exports: its columns and the statement that reads the next page after a key. Each page is a read of
 * its own; rows that change while an export runs appear as they are when their page is read.
 */
import { rfc3339, type Statement, tenantRead } from '#libs/database';
import type { FileRow } from '#libs/storage';
import type { ExportResource } from '../bulk.jobs';

export interface ExportSource {
  readonly columns: readonly string[];
  /** Up to `limit` rows after the key of the last one; null begins. */
  page(after: readonly string[] | null, limit: number): Statement;
  keyOf(row: FileRow): readonly string[];
}

const FIRST = '00000000-0000-0000-0000-000000000000';

interface Columns {
  /** Name in the file → expression. */
  readonly [column: string]: string;
}

interface SourceOptions {
  readonly columns: Columns;
  readonly from: string;
  /** Prefix of the table whose key orders the rows. */
  readonly table: string;
  readonly key: readonly string[];
}

const own = (table: string, ...names: readonly string[]): Columns =>
  Object.fromEntries(names.map((name) => [name, `${table}.${name}`]));
const times = (table: string, ...names: readonly string[]): Columns =>
  Object.fromEntries(names.map((name) => [name, rfc3339(`${table}.${name}`)]));

function source(resource: ExportResource, { columns, from, table, key }: SourceOptions): ExportSource {
  const select = Object.entries(columns).map(([name, expression]) => `${expression} as ${name}`);
  const sortKey = key.map((column) => `${table}.${column}`).join(', ');
  const after = key.map((_, index) => `$${index + 2}::uuid`).join(', ');
  const statement = tenantRead(
    `export_${resource}`,
    `select ${select.join(', ')} from ${from}
     where ${table}.organization_id = $1 and (${sortKey}) > (${after}) order by ${sortKey} limit $${key.length + 2}`,
  );
  return {
    columns: Object.keys(columns),
    page: (last, limit) => statement(...(last ?? key.map(() => FIRST)), limit),
    keyOf: (row) => key.map((column) => String(row[column])),
  };
}

export const EXPORT_SOURCES: Readonly<Record<ExportResource, ExportSource>> = {
  products: source('products', {
    columns: {
      ...own('p', 'id', 'sku', 'name', 'description', 'state', 'price_minor', 'currency', 'version'),
      ...times('p', 'created_at', 'updated_at'),
    },
    from: 'products p',
    table: 'p',
    key: ['id'],
  }),
  stock_levels: source('stock_levels', {
    columns: {
      ...own('l', 'product_id'),
      sku: 'p.sku',
      ...own('l', 'location_id'),
      location: 'place.code',
      ...own('l', 'on_hand', 'available', 'held', 'allocated', 'unavailable', 'incoming', 'version'),
      ...times('l', 'updated_at'),
    },
    from: `stock_levels l join products p on p.organization_id = $1 and p.id = l.product_id
      join locations place on place.organization_id = $1 and place.id = l.location_id`,
    table: 'l',
    key: ['product_id', 'location_id'],
  }),
  stock_movements: source('stock_movements', {
    columns: {
      ...own('m', 'id', 'product_id', 'location_id', 'type', 'reason', 'quantity', 'available_change', 'held_change'),
      ...own('m', 'allocated_change', 'unavailable_change', 'actor_type', 'actor_id', 'reference_type', 'reference_id'),
      ...times('m', 'occurred_at', 'recorded_at'),
    },
    from: 'stock_movements m',
    table: 'm',
    key: ['id'],
  }),
  orders: source('orders', {
    columns: {
      ...own('o', 'id', 'reference', 'customer_reference', 'state', 'currency', 'total_minor', 'version'),
      ...times('o', 'occurred_at', 'created_at', 'updated_at'),
    },
    from: 'orders o',
    table: 'o',
    key: ['id'],
  }),
  order_lines: source('order_lines', {
    columns: own(
      'l',
      ...['id', 'order_id', 'line_number', 'kind', 'product_id', 'location_id', 'sku', 'description', 'quantity'],
      ...['unit_price_minor', 'amount_minor', 'allocated', 'fulfilled', 'returned'],
    ),
    from: 'order_lines l',
    table: 'l',
    key: ['id'],
  }),
};
