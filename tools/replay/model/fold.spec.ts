/** The fold decides as a shop with a ledger would: all lines or nothing, in order, never below zero. */
import fc from 'fast-check';
import type { Invoice } from '../source/invoices';
import { retailLine } from '../testing/retail-file';
import { toOperations } from './classify';
import { OrganizationFold } from './fold';
import { parseScarcity } from './scarcity';
import { Survey } from './survey';

type Sale = readonly [number: string, lines: readonly (readonly [sku: string, quantity: number])[]];

function invoices(sales: readonly Sale[]): Invoice[] {
  return sales.map(([number, lines]) => ({
    number,
    part: 1,
    country: 'EIRE',
    lines: lines.map(([sku, quantity]) => retailLine({ invoice: number, sku, quantity, priceMinor: 100 })),
  }));
}

function fold(sales: readonly Sale[], scarcity: string) {
  const survey = new Survey();
  const all = invoices(sales);
  for (const invoice of all) survey.add(invoice);
  const folded = new OrganizationFold(survey.countries.get('EIRE')!, parseScarcity(scarcity)!);
  const decisions = all.flatMap((invoice) => toOperations(invoice).map((operation) => folded.decide(operation)));
  return { folded, decisions, survey };
}

describe('the fold', () => {
  it('refuses whole orders for want of one line, and takes nothing of them', () => {
    const { folded, decisions } = fold(
      [
        ['1', [['10001', 6]]],
        [
          '2',
          [
            ['10002', 1],
            ['10001', 4],
          ],
        ],
        ['3', [['10002', 1]]],
      ],
      '0.6',
    );
    expect(decisions).toEqual([true, false, true]);
    expect(folded.state('10001').level).toBe(0);
    expect(folded.state('10002').level).toBe(0);
    expect(folded.totals).toMatchObject({ orders: 2, refused: 1, revenueMinor: 700 });
  });

  it('sells what came back', () => {
    const { decisions, folded } = fold(
      [
        ['1', [['10001', 2]]],
        ['C2', [['10001', -2]]],
        ['3', [['10001', 2]]],
      ],
      '0.5',
    );
    expect(decisions).toEqual([true, true, true]);
    expect(folded.totals).toMatchObject({ orders: 2, returns: 1, returnedMinor: 200, refused: 0 });
  });

  it('refuses write-offs of what is not there', () => {
    const { decisions, folded } = fold([['1', [['10001', -3]]]], '0.5');
    expect(decisions).toEqual([false]);
    expect(folded.totals).toMatchObject({ adjustments: 0, refused: 1 });
  });

  it('knows products that only come back, with nothing in stock', () => {
    const { folded } = fold([['C1', [['10001', -3]]]], '1');
    expect(folded.state('10001').level).toBe(3);
  });

  it('fails where the file shows a SKU that was not surveyed', () => {
    expect(() => fold([['1', [['10001', 1]]]], '1').folded.state('99999')).toThrow('changed between the two passes');
  });

  it('never goes below zero, keeps units, and refuses nothing at a scarcity of 1', () => {
    const line = fc.tuple(fc.constantFrom('10001', '10002', '10003'), fc.integer({ min: 1, max: 9 }));
    const sale = fc
      .tuple(fc.constantFrom('1', 'C1', 'W1'), fc.array(line, { minLength: 1, maxLength: 4 }))
      .map(([number, lines]): Sale => [
        number,
        lines.map(([sku, quantity]) => [sku, number === '1' ? quantity : -quantity]),
      ]);
    fc.assert(
      fc.property(
        fc.array(sale, { minLength: 1, maxLength: 40 }),
        fc.constantFrom('0', '0.3', '0.7', '1'),
        (sales, scarcity) => {
          const { folded, decisions } = fold(sales, scarcity);
          for (const { level, outflowAhead } of folded.states()) {
            expect(level).toBeGreaterThanOrEqual(0);
            expect(outflowAhead).toBe(0);
          }
          expect(folded.totals.refused).toBe(decisions.filter((accepted) => !accepted).length);
          if (scarcity === '1') expect(folded.totals.refused).toBe(0);
        },
      ),
    );
  });
});

describe('the survey', () => {
  it('names a product after its first sale rather than after a write-off', () => {
    const survey = new Survey();
    const lines = [
      { quantity: -1, priceMinor: 0, description: 'damaged' },
      { quantity: 1, priceMinor: 0, description: '' },
      { quantity: 1, priceMinor: 120, description: 'CANDLE' },
      { quantity: 1, priceMinor: 130, description: 'BIG CANDLE' },
    ];
    for (const [index, line] of lines.entries()) {
      const number = String(index);
      survey.add({ number, part: 1, country: 'EIRE', lines: [retailLine({ ...line, invoice: number })] });
    }
    expect([...survey.countries.get('EIRE')!.products.values()]).toEqual([
      { sku: '85123A', name: 'CANDLE', priceMinor: 120, outflow: 4 },
    ]);
  });

  it('counts invoices that come again', () => {
    expect(
      fold(
        [
          ['1', [['10001', 1]]],
          ['2', [['10001', 1]]],
          ['1', [['10001', 1]]],
        ],
        '1',
      ).survey.repeatedInvoices,
    ).toBe(1);
  });
});
