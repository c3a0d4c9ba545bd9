import fc from 'fast-check';
import { stringify } from 'csv-stringify/sync';
import { IMPORT_COLUMNS, importHeader } from './import-header';
import { importRow, isImportRow } from './import-row';
import { fractionDigits, planImport } from './import-plan';
import type { ImportRow } from './import-row';
import { RecordParser } from '../csv/record-parser';

const next = { offset: 0, line: 1 };
const header = (text: string) => importHeader({ line: 1, next, fields: text.split(',') });
const row = (fields: Partial<ImportRow> & { sku: string; line: number }): ImportRow => ({
  name: null,
  description: null,
  price: null,
  currency: null,
  location: null,
  onHand: null,
  ...fields,
});

describe('importHeader', () => {
  it('takes the columns in any order and case', () => {
    expect(header(' On_Hand,SKU')).toEqual(['on_hand', 'sku']);
  });

  it.each(['name,price', 'sku,colour', 'sku,name,SKU', 'sku,'])('refuses %j', (text) => {
    expect(() => header(text)).toThrow(expect.objectContaining({ code: 'invalid_csv_header' }));
  });

  it('refuses an empty file', () => {
    expect(() => importHeader(undefined)).toThrow(expect.objectContaining({ code: 'invalid_csv_header' }));
  });
});

describe('importRow', () => {
  it('reads back every row that is in bounds', () => {
    const text = (maxLength: number) =>
      fc.string({ minLength: 1, maxLength }).filter((value) => value.trim() === value && !/[\0\r\n]/.test(value));
    const valid = fc.record({
      sku: text(64),
      name: fc.option(text(300)),
      description: fc.option(text(500)),
      price: fc.option(fc.nat().map((minor) => (minor / 100).toFixed(2))),
      currency: fc.option(fc.constantFrom('GBP', 'EUR')),
      location: fc.option(text(64)),
      onHand: fc.option(fc.nat({ max: 1_000_000_000 })),
    });
    fc.assert(
      fc.property(valid, ({ onHand, ...fields }) => {
        const values = { ...fields, on_hand: onHand };
        const line = stringify([IMPORT_COLUMNS.map((column) => values[column])]).trimEnd();
        const parser = new RecordParser();
        expect(parser.feed(line)).toBe('complete');
        expect(importRow(7, IMPORT_COLUMNS, parser.fields)).toEqual({ line: 7, ...fields, onHand });
      }),
    );
  });

  it('never lets a value out of bounds through, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 7, maxLength: 7 }), (fields) => {
        const read = importRow(1, IMPORT_COLUMNS, fields);
        if (!isImportRow(read)) return;
        expect(read.sku.length).toBeGreaterThan(0);
        expect(read.onHand === null || (Number.isInteger(read.onHand) && read.onHand >= 0)).toBe(true);
        expect(read.currency ?? 'GBP').toMatch(/^[A-Z]{3}$/);
      }),
    );
  });

  it.each([
    ['', 'missing_sku', { sku: '  ' }],
    ['', 'too_long', { sku: 'x'.repeat(65) }],
    ['', 'too_long', { sku: 'A', name: 'x'.repeat(301) }],
    ['', 'invalid_price', { sku: 'A', price: '1,5' }],
    ['', 'invalid_price', { sku: 'A', price: '-1' }],
    ['', 'invalid_price', { sku: 'A', price: '1e3' }],
    ['', 'invalid_currency', { sku: 'A', currency: 'gbp' }],
    ['', 'invalid_quantity', { sku: 'A', on_hand: '1.5' }],
    ['', 'invalid_quantity', { sku: 'A', on_hand: '-3' }],
    ['', 'invalid_quantity', { sku: 'A', on_hand: '1000000001' }],
    ['', 'invalid_quantity', { sku: 'A', on_hand: 'ten' }],
  ])('%s refuses with %s: %j', (_, code, given) => {
    const fields = IMPORT_COLUMNS.map((column) => (given as Record<string, string>)[column] ?? '');
    expect(importRow(1, IMPORT_COLUMNS, fields)).toMatchObject({ code });
  });
});

describe('planImport', () => {
  const known = new Map([['OLD', 'JPY']]);

  it('lets the last line win for a product, and keeps the counts of each line', () => {
    const plan = planImport(
      [
        row({ line: 2, sku: 'N', name: 'First', currency: 'GBP', price: '1', onHand: 1, location: 'A' }),
        row({ line: 3, sku: 'N', name: 'Second', price: '2.555', onHand: 2, location: 'B' }),
      ],
      known,
    );
    expect(plan.upserts).toEqual([{ sku: 'N', name: 'Second', description: null, priceMinor: 256, currency: 'GBP' }]);
    expect(plan.counts.map(({ line, location, quantity }) => [line, location, quantity])).toEqual([
      [2, 'A', 1],
      [3, 'B', 2],
    ]);
  });

  it('refuses every line of a new product that lacks name or currency', () => {
    const plan = planImport(
      [row({ line: 2, sku: 'N', onHand: 1 }), row({ line: 3, sku: 'N' }), row({ line: 4, sku: 'M', name: 'M' })],
      known,
    );
    expect(plan.errors.map(({ line, code }) => [line, code])).toEqual([
      [2, 'missing_name'],
      [3, 'missing_name'],
      [4, 'missing_currency'],
    ]);
    expect([...plan.upserts, ...plan.counts]).toEqual([]);
  });

  it('only counts a known product when nothing else is given', () => {
    const plan = planImport([row({ line: 2, sku: 'OLD', onHand: 5 })], known);
    expect(plan).toMatchObject({ upserts: [], errors: [], counts: [{ sku: 'OLD', quantity: 5 }] });
  });

  it('counts minor units in the currency of the row, or of the known product', () => {
    expect(planImport([row({ line: 2, sku: 'OLD', price: '120' })], known).upserts[0]).toMatchObject({
      priceMinor: 120,
    });
    expect(fractionDigits('KWD')).toBe(3);
    expect(planImport([row({ line: 2, sku: 'OLD', price: '999999999999999' })], known).errors).toMatchObject([
      { code: 'invalid_price' },
    ]);
  });

  it.each(['X\nY', 'a\u2028b', 'A\0'])('refuses the SKU %j, which the API would not take', (sku) => {
    expect(importRow(2, ['sku'], [sku])).toMatchObject({ code: 'invalid_sku', field: 'sku' });
  });
});
