/** A page of the outside system, checked: the frame as a whole, each row by itself. What it says beyond that is left alone. */
import { Fields, shape } from '#libs/kernel';
import type { StockCount } from '#libs/inventory';
import type { JobLineError } from '#libs/queues';
import type { OutboundResponse } from '#libs/outbound';
import Type from 'typebox';
import { badPage } from './source.error';

/** Rows that are asked for, and taken, at once. */
export const PAGE_ROWS = 500;
export const PAGE_BYTES = 4 * 1024 * 1024;
const MAX_CURSOR = 2_048;

export interface FeedPage {
  readonly rows: readonly unknown[];
  readonly nextCursor: string | null;
  readonly hasMore: boolean;
}

const FRAME = shape(
  Type.Object({
    data: Type.Array(Type.Unknown()),
    next_cursor: Type.Optional(Fields.nullable(Type.String({ minLength: 1, maxLength: MAX_CURSOR }))),
    has_more: Type.Boolean(),
  }),
);
const ROW = shape(
  Type.Object({
    sku: Fields.sku(),
    location: Type.Optional(Fields.nullable(Type.String({ minLength: 1, maxLength: 64 }))),
    on_hand: Fields.count(),
    occurred_at: Type.Optional(Fields.nullable(Fields.timestamp())),
  }),
);
const ROW_FIELDS = ['sku', 'location', 'on_hand', 'occurred_at'];
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** Throws a SourceFailure that says what is wrong with it. */
export function feedPage({ headers, body }: Pick<OutboundResponse, 'headers' | 'body'>): FeedPage {
  const type = headers['content-type'] ?? '';
  if (!JSON_TYPE.test(type)) {
    throw badPage(`The content type of the page is "${type.slice(0, 100)}"; it must be application/json.`);
  }
  const frame = only(parsed(body), ['data', 'next_cursor', 'has_more']);
  const { data } = (frame ?? {}) as { readonly data?: unknown };
  const rows: readonly unknown[] = Array.isArray(data) ? data : [];
  const checked = FRAME.validate(Array.isArray(data) ? { ...(frame as object), data: [] } : frame); // rows one by one
  if (checked.issues) throw badPage(`The page is not as it should be: ${checked.issues[0]!.message}`);
  const { next_cursor: nextCursor = null, has_more: hasMore } = checked.value;
  if (rows.length > PAGE_ROWS) throw badPage(`The page has ${rows.length} rows; ${PAGE_ROWS} were asked for.`);
  if (hasMore && nextCursor === null) throw badPage('The page says has_more and names no next_cursor.');
  return { rows, nextCursor, hasMore };
}

/** Some fields of an object, so that nobody walks through the others, however deep they are; what is no object as it is. */
function only(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (error) {
    const why = error instanceof SyntaxError ? 'JSON' : 'UTF-8';
    throw badPage(`The page is not ${why}.`, error);
  }
}

export interface CheckedRows {
  readonly counts: readonly StockCount[];
  readonly errors: readonly JobLineError[];
}

/** The rows that can be counted, and those that cannot; `before` rows came before the first of them in this sync. */
export function checkedRows(rows: readonly unknown[], before: number, defaultLocation: string | null): CheckedRows {
  const counts: StockCount[] = [];
  const errors: JobLineError[] = [];
  for (const [index, row] of rows.entries()) {
    const line = before + index + 1;
    const checked = ROW.validate(only(row, ROW_FIELDS));
    if (checked.issues) {
      const { code, param, message } = checked.issues[0]!;
      errors.push({ line, code, field: param === '' ? null : param, message: `${message}${skuOf(row)}` });
    } else {
      const { sku, location, on_hand: quantity, occurred_at: occurredAt = null } = checked.value;
      counts.push({ line, sku, location: location ?? defaultLocation, quantity, occurredAt });
    }
  }
  return { counts, errors };
}

/** So that a row can be found again: its number says little to who has made it. */
function skuOf(row: unknown): string {
  const { sku } = (row ?? {}) as { readonly sku?: unknown };
  return typeof sku === 'string' && sku !== '' ? ` SKU ${sku.slice(0, 64).toWellFormed().replaceAll('\0', '')}.` : '';
}
