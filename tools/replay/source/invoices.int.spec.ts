/** Reading whole files: grouping, limits, dirt and faults. */
import { writeFileSync } from 'node:fs';
import { type FileLine, removeRetailFiles, writeRetailFile } from '../testing/retail-file';
import { type Invoice, MAX_INVOICE_LINES, newCounts, readInvoices } from './invoices';

afterAll(removeRetailFiles);

const line = (invoice: string, sku: string, country = 'EIRE', price: string | number = 1): FileLine => {
  return [invoice, sku, 'THING', 1, '2010-12-01 08:26:00', price, '', country];
};

async function read(file: string, limit?: number) {
  const counts = newCounts();
  const invoices: Invoice[] = [];
  for await (const invoice of readInvoices({ file, limit, counts })) invoices.push(invoice);
  return { invoices, counts };
}

describe('the invoices of a file', () => {
  it.each(['retail.csv', 'retail.csv.gz'])('are neighbouring lines of one number and country (%s)', async (name) => {
    const lines = [
      line('1', '10001'),
      line('1', '10002'),
      line('2', '10001'),
      line('2', '10001', 'France'),
      line('1', '10003'),
    ];
    const { invoices, counts } = await read(writeRetailFile(lines, name));
    expect(invoices.map(({ number, country, lines: of }) => [number, country, of.length])).toEqual([
      ['1', 'EIRE', 2],
      ['2', 'EIRE', 1],
      ['2', 'France', 1],
      ['1', 'EIRE', 1],
    ]);
    expect(counts).toEqual({ lines: 5, broken: 0, zero: 0, furtherParts: 0 });
  });

  it('stop at the limit', async () => {
    const { invoices, counts } = await read(
      writeRetailFile(['1', '1', '2', '3'].map((number) => line(number, '10001'))),
      2,
    );
    expect(invoices.map(({ number }) => number)).toEqual(['1', '2']);
    expect(counts.lines).toBe(3);
  });

  it('leave broken lines and lines of nothing out, and count them', async () => {
    const broken: FileLine = ['1', '10001', '', 'many', '2010-12-01 08:26:00', 1, '', 'EIRE'];
    const nothing: FileLine = ['1', '10001', '', 0, '2010-12-01 08:26:00', 1, '', 'EIRE'];
    const { invoices, counts } = await read(
      writeRetailFile([line('1', '10001'), broken, nothing, ['1', '2'], line('1', '10002')]),
    );
    expect(invoices).toHaveLength(1);
    expect(invoices[0]!.lines).toHaveLength(2);
    expect(counts).toEqual({ lines: 5, broken: 2, zero: 1, furtherParts: 0 });
  });

  it('come in parts where one has more lines than an order takes', async () => {
    const lines = Array.from({ length: MAX_INVOICE_LINES + 1 }, () => line('1', '10001'));
    const { invoices, counts } = await read(writeRetailFile(lines));
    expect(invoices.map(({ part, lines: of }) => [part, of.length])).toEqual([
      [1, MAX_INVOICE_LINES],
      [2, 1],
    ]);
    expect(counts.furtherParts).toBe(1);
  });

  it('leave room for the discounts that negative prices need', async () => {
    const lines = Array.from({ length: MAX_INVOICE_LINES / 2 + 1 }, () => line('1', '10001', 'EIRE', -1));
    const { invoices } = await read(writeRetailFile(lines));
    expect(invoices.map(({ lines: of }) => of.length)).toEqual([MAX_INVOICE_LINES / 2, 1]);
  });
});

describe('a file that is not one', () => {
  it('is refused when columns are missing', async () => {
    const file = writeRetailFile([]);
    writeFileSync(file, 'InvoiceNo,StockCode,Quantity\n1,2,3\n');
    await expect(read(file)).rejects.toThrow(
      'lacks the columns Description, InvoiceDate, UnitPrice, CustomerID, Country',
    );
  });

  it('is refused when it is not there, or not compressed', async () => {
    await expect(read('/nowhere/retail.csv')).rejects.toThrow('ENOENT');
    const file = writeRetailFile([], 'retail.csv.gz');
    writeFileSync(file, 'plain text');
    await expect(read(file)).rejects.toThrow('incorrect header check');
  });
});
