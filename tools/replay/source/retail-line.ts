/** One line of the Online Retail file, as text became values. What cannot become values is a broken line. */
import { MoneyError, parseDecimalToMinor } from '#libs/kernel';

export interface RetailLine {
  readonly invoice: string;
  /** StockCode, trimmed and upper-cased. */
  readonly sku: string;
  /** Trimmed; may be empty. */
  readonly description: string;
  /** Any sign, never 0 after the invoices are assembled. */
  readonly quantity: number;
  /** RFC 3339; the file names no zone and is read as UTC. */
  readonly occurredAt: string;
  /** Minor units, rounded half up; any sign. */
  readonly priceMinor: number;
  /** Empty where the file names no customer. */
  readonly customer: string;
  readonly country: string;
}

export const COLUMNS = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const;

export type RetailRecord = Readonly<Partial<Record<(typeof COLUMNS)[number], string>>>;

const QUANTITY = /^[+-]?\d{1,9}(?:\.0+)?$/;
/** ISO 8601 without a zone, or month first as spreadsheets write it. */
const TIMES = [
  /^(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})[ T](?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2}))?$/,
  /^(?<month>\d{1,2})\/(?<day>\d{1,2})\/(?<year>\d{4}) (?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2}))?$/,
];
const MAX_SKU = 64;
const MAX_PRICE_MINOR = 1_000_000_000_000;

type Five = readonly [number, number, number, number, number];

let lastTime: { readonly text: string; readonly time: string | undefined } = { text: '', time: undefined };

/** RFC 3339 in UTC, or undefined where the text is no time that exists. The lines of an invoice share theirs. */
export function parseTime(text: string): string | undefined {
  if (lastTime.text !== text) lastTime = { text, time: readTime(text) };
  return lastTime.time;
}

function readTime(text: string): string | undefined {
  const found = TIMES.map((pattern) => pattern.exec(text)?.groups).find((groups) => groups !== undefined);
  if (!found) return undefined;
  const part = (name: string): number => Number(found[name] ?? 0);
  const [month, day, hour, minute, second] = ['month', 'day', 'hour', 'minute', 'second'].map(part) as unknown as Five;
  const time = new Date(Date.UTC(part('year'), month - 1, day, hour, minute, second));
  const kept = [
    time.getUTCMonth() + 1,
    time.getUTCDate(),
    time.getUTCHours(),
    time.getUTCMinutes(),
    time.getUTCSeconds(),
  ];
  // A date that does not exist, such as the 30th of February, comes out as another one.
  return kept.join() === [month, day, hour, minute, second].join() ? time.toISOString() : undefined;
}

function parsePrice(text: string): number | undefined {
  try {
    return parseDecimalToMinor(text);
  } catch (error) {
    if (error instanceof MoneyError) return undefined;
    throw error;
  }
}

/** The values of a record, or undefined where a field that the replay needs is missing or malformed. */
export function parseRetailLine(record: RetailRecord): RetailLine | undefined {
  const invoice = record.InvoiceNo?.trim().toUpperCase();
  const sku = record.StockCode?.trim().toUpperCase();
  const country = record.Country?.trim();
  const quantityText = record.Quantity?.trim() ?? '';
  const occurredAt = parseTime(record.InvoiceDate?.trim() ?? '');
  const priceMinor = parsePrice(record.UnitPrice ?? '');
  if (!invoice || !sku || sku.length > MAX_SKU || !country) return undefined;
  if (!QUANTITY.test(quantityText) || occurredAt === undefined || priceMinor === undefined) return undefined;
  const quantity = Number(quantityText);
  if (Math.abs(priceMinor) > MAX_PRICE_MINOR || !Number.isSafeInteger(quantity * priceMinor)) return undefined;
  return {
    invoice,
    sku,
    description: record.Description?.trim() ?? '',
    quantity,
    occurredAt,
    priceMinor,
    customer: (record.CustomerID?.trim() ?? '').replace(/\.0+$/, ''),
    country,
  };
}
