/** Reading one line of the file. */
import { parseRetailLine, parseTime, type RetailRecord } from './retail-line';

const RECORD: RetailRecord = {
  InvoiceNo: '536365',
  StockCode: ' 85123a ',
  Description: ' HOLDER ',
  Quantity: '6',
  InvoiceDate: '2010-12-01 08:26:00',
  UnitPrice: '2.55',
  CustomerID: '17850.0',
  Country: 'United Kingdom',
};

describe('a line of the file', () => {
  it('is trimmed, its stock code upper-cased, its price in minor units', () => {
    expect(parseRetailLine(RECORD)).toEqual({
      invoice: '536365',
      sku: '85123A',
      description: 'HOLDER',
      quantity: 6,
      occurredAt: '2010-12-01T08:26:00.000Z',
      priceMinor: 255,
      customer: '17850',
      country: 'United Kingdom',
    });
  });

  it.each([
    ['0.125', 13],
    ['0.001', 0],
    ['1.005', 101],
    ['-11062.06', -1_106_206],
    ['18', 1_800],
  ])('rounds the price %s half up to %d', (UnitPrice, priceMinor) => {
    expect(parseRetailLine({ ...RECORD, UnitPrice })).toMatchObject({ priceMinor });
  });

  it('does without description and customer', () => {
    expect(parseRetailLine({ ...RECORD, Description: '', CustomerID: '' })).toMatchObject({
      description: '',
      customer: '',
    });
  });

  it.each<[keyof RetailRecord, string]>([
    ['InvoiceNo', ''],
    ['StockCode', '  '],
    ['StockCode', 'X'.repeat(65)],
    ['Quantity', '1.5'],
    ['Quantity', '1e3'],
    ['Quantity', '10000000000'],
    ['InvoiceDate', '2010-02-30 10:00:00'],
    ['InvoiceDate', 'yesterday'],
    ['UnitPrice', 'free'],
    ['UnitPrice', '99999999999999'],
    ['Country', ''],
  ])('is broken with a %s of "%s"', (field, text) => {
    expect(parseRetailLine({ ...RECORD, [field]: text })).toBeUndefined();
  });

  it('is broken when it ends early', () => {
    expect(parseRetailLine({ InvoiceNo: '536365', StockCode: '85123A' })).toBeUndefined();
  });
});

describe('the time of a line', () => {
  it.each([
    ['2010-12-01 08:26:00', '2010-12-01T08:26:00.000Z'],
    ['2010-12-01T08:26', '2010-12-01T08:26:00.000Z'],
    ['12/1/2010 8:26', '2010-12-01T08:26:00.000Z'],
    ['1/31/2011 18:05:59', '2011-01-31T18:05:59.000Z'],
  ])('is read from "%s"', (text, time) => expect(parseTime(text)).toBe(time));

  it.each(['31/12/2010 8:26', '2010-13-01 00:00', '2010-12-01', '2010-12-01 24:00', '2010-12-01 10:61'])(
    'is not made up for "%s"',
    (text) => expect(parseTime(text)).toBeUndefined(),
  );
});
