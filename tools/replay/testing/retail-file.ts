/** Files of the Online Retail shape for specs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { stringify } from 'csv-stringify/sync';
import { COLUMNS, type RetailLine } from '../source/retail-line';

export type FileLine = readonly [
  invoice: string,
  stockCode: string,
  description: string,
  quantity: number | string,
  date: string,
  price: number | string,
  customer: string,
  country: string,
];

const directories: string[] = [];

/** Writes a file that lives until `removeRetailFiles`. Compressed where the name says so. */
export function writeRetailFile(lines: readonly (readonly unknown[])[], name = 'retail.csv'): string {
  const directory = mkdtempSync(join(tmpdir(), 'stockyard-replay-'));
  directories.push(directory);
  const file = join(directory, name);
  const text = stringify([[...COLUMNS], ...lines.map((line) => [...line])]);
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
  return file;
}

export function removeRetailFiles(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

/** A line as the reader yields it. */
export function retailLine(line: Partial<RetailLine>): RetailLine {
  return {
    invoice: '536365',
    sku: '85123A',
    description: 'HOLDER',
    quantity: 1,
    occurredAt: '2010-12-01T08:26:00.000Z',
    priceMinor: 255,
    customer: '17850',
    country: 'United Kingdom',
    ...line,
  };
}

/** A month of a shop in small: a few SKUs that many invoices want, returns, write-offs and charges among them. */
export function smallMonth(invoices: number, random: () => number): FileLine[] {
  const below = (limit: number): number => Math.floor(random() * limit);
  const lines: FileLine[] = [];
  for (let index = 0; index < invoices; index += 1) {
    const country = ['United Kingdom', 'France', 'EIRE'][below(3)]!;
    const roll = random();
    const number = roll < 0.15 ? `C${500_000 + index}` : String(500_000 + index);
    const sign = roll < 0.25 ? -1 : 1; // 0.15 to 0.25: write-offs
    const date = `2010-12-${String(1 + Math.floor((index / invoices) * 28)).padStart(2, '0')} 09:00:00`;
    for (let line = 0; line <= below(5); line += 1) {
      const sku = String(10_000 + below(8));
      const price = roll >= 0.15 && sign < 0 ? 0 : (1 + below(999)) / 100;
      lines.push([number, sku, `THING ${sku}`, sign * (1 + below(6)), date, price, '17850.0', country]);
    }
    if (roll > 0.8) lines.push([number, 'POST', 'POSTAGE', 1, date, 18, '17850.0', country]);
    if (roll > 0.95) lines.push([number, 'D', 'Discount', -1, date, 5, '17850.0', country]);
  }
  return lines;
}
