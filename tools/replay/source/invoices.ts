/**
 * The file as invoices, streamed: neighbouring lines of one invoice and country belong together. The file is never
 * held in memory; an invoice is, up to the most lines that one order takes.
 */
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { COLUMNS, parseRetailLine, type RetailLine, type RetailRecord } from './retail-line';

/** The most lines that one order or return of the API takes. A longer invoice is replayed in several parts. */
export const MAX_INVOICE_LINES = 2_000;

/** Lines of a request that a line of the file becomes at most: goods at a negative price need a discount beside them. */
const requestLines = (line: RetailLine): number => (line.priceMinor < 0 ? 2 : 1);

export interface Invoice {
  readonly number: string;
  /** 1, or the number of the part where an invoice is longer than MAX_INVOICE_LINES. */
  readonly part: number;
  readonly country: string;
  readonly lines: readonly RetailLine[];
}

/** Dirt that was left out, and what was done about the rest. */
export interface SourceCounts {
  /** Data lines read. */
  lines: number;
  /** Lines with a missing or malformed field; left out. */
  broken: number;
  /** Lines of quantity 0; left out. */
  zero: number;
  /** Further parts of invoices above MAX_INVOICE_LINES. */
  furtherParts: number;
}

export class SourceError extends Error {}

function checkHeader(header: readonly string[]): string[] {
  const names = header.map((name) => name.trim());
  const missing = COLUMNS.filter((column) => !names.includes(column));
  if (missing.length === 0) return names;
  throw new SourceError(
    `The file's first line lacks the column${missing.length > 1 ? 's' : ''} ${missing.join(', ')}.`,
  );
}

/** Every record of the file. Rejects where the file cannot be read or unzipped, or lacks a column. */
function records(file: string): Readable {
  const parser = parse({
    bom: true,
    columns: checkHeader,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
  const source = createReadStream(file);
  // The parser is destroyed with the first error of the chain, which its iteration then throws.
  if (file.endsWith('.gz')) pipeline(source, createGunzip(), parser, () => undefined);
  else pipeline(source, parser, () => undefined);
  return parser;
}

export function newCounts(): SourceCounts {
  return { lines: 0, broken: 0, zero: 0, furtherParts: 0 };
}

async function* usableLines(file: string, counts: SourceCounts): AsyncGenerator<RetailLine> {
  for await (const record of records(file) as AsyncIterable<RetailRecord>) {
    counts.lines += 1;
    const line = parseRetailLine(record);
    if (!line) counts.broken += 1;
    else if (line.quantity === 0) counts.zero += 1;
    else yield line;
  }
}

export interface InvoiceSource {
  readonly file: string;
  /** Stop after so many invoices; undefined: never. */
  readonly limit: number | undefined;
  readonly counts: SourceCounts;
}

/** The invoices in the order of the file. */
export async function* readInvoices({ file, limit = Infinity, counts }: InvoiceSource): AsyncGenerator<Invoice> {
  let lines: RetailLine[] = [];
  let weight = 0;
  let part = 1;
  let seen = 0;
  const invoice = (): Invoice => ({ number: lines[0]!.invoice, part, country: lines[0]!.country, lines });
  for await (const line of usableLines(file, counts)) {
    const [first] = lines;
    const continues = first !== undefined && first.invoice === line.invoice && first.country === line.country;
    weight += requestLines(line);
    if (continues && weight <= MAX_INVOICE_LINES) {
      lines.push(line);
      continue;
    }
    if (first) yield invoice();
    if (continues) {
      part += 1;
      counts.furtherParts += 1;
    } else {
      seen += 1;
      part = 1;
      if (seen > limit) {
        counts.lines -= 1; // the line that showed where to stop
        return;
      }
    }
    lines = [line];
    weight = requestLines(line);
  }
  if (lines.length > 0) yield invoice();
}
