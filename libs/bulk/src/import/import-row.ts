/** One line of an import file, checked as far as it can be alone. */
import { Fields, shape } from '#libs/kernel';
import type { CsvProblem } from '../csv/csv-reader';
import type { ImportColumn } from './import-header';

export interface ImportRow {
  readonly line: number;
  readonly sku: string;
  /** null: not given; the product keeps what it has. */
  readonly name: string | null;
  readonly description: string | null;
  /** Decimal text; how many digits are minor units depends on the currency. */
  readonly price: string | null;
  readonly currency: string | null;
  /** Code; null for the default location. */
  readonly location: string | null;
  /** Units that are there, absolute; null: not counted. */
  readonly onHand: number | null;
}

const MAX_LENGTH = { sku: 64, name: 300, description: 5_000, location: 64 } as const;
const PRICE = /^\+?\d{1,15}(\.\d{1,10})?$|^\+?\.\d{1,10}$/;
const WHOLE = /^\+?\d{1,16}$/;
const SKU = shape(Fields.sku());
const CURRENCY = shape(Fields.currency());
const COUNT = shape(Fields.count());

const refused = (code: string, field: ImportColumn, message: string): CsvProblem => ({ code, field, message });

/** The row, or the first thing that is wrong with it. Fields are trimmed; an empty one is not given. */
export function importRow(
  line: number,
  columns: readonly ImportColumn[],
  fields: readonly string[],
): ImportRow | CsvProblem {
  const given = new Map(columns.map((column, index) => [column, (fields[index] ?? '').trim()]));
  const value = (column: ImportColumn): string | null => given.get(column) || null;
  const sku = value('sku');
  if (sku === null) return refused('missing_sku', 'sku', 'The line has no SKU.');
  for (const [column, limit] of Object.entries(MAX_LENGTH) as [keyof typeof MAX_LENGTH, number][]) {
    if ((value(column)?.length ?? 0) > limit) {
      return refused('too_long', column, `${column} has more than ${limit} characters.`);
    }
  }
  if (SKU.validate(sku).issues) return refused('invalid_sku', 'sku', 'The SKU holds a line break or what is no text.');
  const price = value('price');
  if (price !== null && !PRICE.test(price)) {
    return refused('invalid_price', 'price', 'The price is not a decimal number, 0 or more, such as 12.50.');
  }
  const currency = value('currency');
  if (currency !== null && CURRENCY.validate(currency).issues) {
    return refused('invalid_currency', 'currency', 'The currency is not a code of three capital letters, such as GBP.');
  }
  const count = value('on_hand');
  const onHand = count === null ? null : WHOLE.test(count) ? Number(count) : NaN;
  if (onHand !== null && COUNT.validate(onHand).issues) {
    return refused('invalid_quantity', 'on_hand', 'on_hand is not a whole number between 0 and 1000000000.');
  }
  return {
    line,
    sku,
    name: value('name'),
    description: value('description'),
    price,
    currency,
    location: value('location'),
    onHand,
  };
}

export function isImportRow(row: ImportRow | CsvProblem): row is ImportRow {
  return 'sku' in row;
}
