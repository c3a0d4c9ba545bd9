/**
 * What a chunk of rows does to the catalog and the stock. Rows of one SKU are merged in order of the file: the last value
 * given for a field wins; counts of different locations stand beside each other.
 */
import type { ProductUpsert } from '#libs/catalog';
import type { StockCount } from '#libs/inventory';
import { Fields, parseDecimalToMinor, shape } from '#libs/kernel';
import type { JobLineError } from '#libs/queues';
import type { ImportRow } from './import-row';

export interface ImportPlan {
  readonly upserts: readonly ProductUpsert[];
  readonly counts: readonly StockCount[];
  readonly errors: readonly JobLineError[];
}

const PRICE_MINOR = shape(Fields.priceMinor());
const DEFAULT_FRACTION_DIGITS = 2;

const digitsOf = new Map<string, number>();

/** Digits after the point of a currency's main unit (ISO 4217 by way of CLDR): 2 for GBP, 0 for JPY. */
export function fractionDigits(currency: string): number {
  const known = digitsOf.get(currency);
  if (known !== undefined) return known;
  const { maximumFractionDigits = DEFAULT_FRACTION_DIGITS } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions();
  digitsOf.set(currency, maximumFractionDigits);
  return maximumFractionDigits;
}

type Merged = Pick<ImportRow, 'name' | 'description' | 'price' | 'currency'> & { readonly lines: readonly ImportRow[] };

function mergeBySku(rows: readonly ImportRow[]): Map<string, Merged> {
  const merged = new Map<string, Merged>();
  for (const row of rows) {
    const before = merged.get(row.sku);
    merged.set(row.sku, {
      name: row.name ?? before?.name ?? null,
      description: row.description ?? before?.description ?? null,
      price: row.price ?? before?.price ?? null,
      currency: row.currency ?? before?.currency ?? null,
      lines: [...(before?.lines ?? []), row],
    });
  }
  return merged;
}

type Refusal = Pick<JobLineError, 'code' | 'field' | 'message'>;

function refusalOf(product: Merged, knownCurrency: string | undefined): Refusal | undefined {
  if (knownCurrency !== undefined) return undefined;
  if (product.name === null) return { code: 'missing_name', field: 'name', message: 'A new product needs a name.' };
  if (product.currency === null) {
    return { code: 'missing_currency', field: 'currency', message: 'A new product needs a currency.' };
  }
  return undefined;
}

function minorOf(price: string, currency: string): number | undefined {
  try {
    const minor = parseDecimalToMinor(price, fractionDigits(currency));
    return PRICE_MINOR.validate(minor).issues ? undefined : minor;
  } catch {
    return undefined;
  }
}

const TOO_DEAR: Refusal = { code: 'invalid_price', field: 'price', message: 'The price is out of range.' };

/** `known` maps the SKUs that exist to their currency. */
export function planImport(rows: readonly ImportRow[], known: ReadonlyMap<string, string>): ImportPlan {
  const upserts: ProductUpsert[] = [];
  const counts: StockCount[] = [];
  const errors: JobLineError[] = [];
  for (const [sku, product] of mergeBySku(rows)) {
    const { name, description, price, currency, lines } = product;
    const knownCurrency = known.get(sku);
    const priceMinor = price === null ? null : minorOf(price, currency ?? knownCurrency ?? 'XXX');
    const refusal = refusalOf(product, knownCurrency) ?? (priceMinor === undefined ? TOO_DEAR : undefined);
    if (refusal) {
      errors.push(...lines.map(({ line }) => ({ line, ...refusal })));
      continue;
    }
    const changes = name !== null || description !== null || price !== null || currency !== null;
    if (changes || knownCurrency === undefined) {
      upserts.push({ sku, name, description, priceMinor: priceMinor ?? null, currency });
    }
    for (const { line, location, onHand } of lines) {
      if (onHand !== null) counts.push({ line, sku, location, quantity: onHand });
    }
  }
  return { upserts, counts, errors };
}
