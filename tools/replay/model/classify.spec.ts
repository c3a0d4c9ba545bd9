/** From lines to operations: the table of rules, and what no invoice may break. */
import fc from 'fast-check';
import type { Invoice } from '../source/invoices';
import type { RetailLine } from '../source/retail-line';
import { retailLine } from '../testing/retail-file';
import { isGoods, toOperations } from './classify';

function invoice(number: string, lines: readonly Partial<RetailLine>[], part = 1): Invoice {
  return { number, part, country: 'EIRE', lines: lines.map((line) => retailLine({ ...line, invoice: number })) };
}

describe('goods', () => {
  it.each(['85123A', '71053', '15056BL'])('%s is goods', (sku) => expect(isGoods(sku)).toBe(true));
  it.each(['POST', 'D', 'C2', 'BANK CHARGES', 'DCGS0076', 'GIFT_0001_50', '1234A'])('%s is not', (sku) => {
    expect(isGoods(sku)).toBe(false);
  });
});

describe('a sale', () => {
  it('is one order of its lines as they stand, repeated stock codes summed in what it takes', () => {
    const [order, ...rest] = toOperations(
      invoice('1', [{ quantity: 6 }, { sku: 'POST', priceMinor: 1800 }, { quantity: 2 }]),
    );
    expect(rest).toEqual([]);
    expect(order).toMatchObject({
      kind: 'order',
      reference: '1',
      customer: '17850',
      totalMinor: 8 * 255 + 1800,
      sourceLines: 3,
    });
    expect(order!.lines).toMatchObject([
      { kind: 'goods', quantity: 6, unit_price_minor: 255 },
      { kind: 'charge', sku: 'POST', quantity: 1, unit_price_minor: 1800 },
      { kind: 'goods', quantity: 2 },
    ]);
    expect([...order!.changes]).toEqual([['85123A', -8]]);
  });

  it('turns what a charge takes off into a discount', () => {
    const [order] = toOperations(
      invoice('1', [
        { sku: 'D', quantity: -2, priceMinor: 500 },
        { sku: 'B', quantity: 1, priceMinor: -1_106_206 },
        { sku: 'M', quantity: -1, priceMinor: 0 },
        { sku: 'S', quantity: -3, priceMinor: -10 },
      ]),
    );
    expect(order!.lines).toMatchObject([
      { kind: 'discount', quantity: 2, unit_price_minor: -500 },
      { kind: 'discount', quantity: 1, unit_price_minor: -1_106_206 },
      { kind: 'discount', quantity: 1, unit_price_minor: 0 },
      { kind: 'charge', quantity: 3, unit_price_minor: 10 },
    ]);
    expect(order!.totalMinor).toBe(-1_000 - 1_106_206 + 30);
  });

  it('sells goods of a negative price for nothing and gives the price as a discount', () => {
    const [order] = toOperations(invoice('1', [{ quantity: 3, priceMinor: -7 }]));
    expect(order!.lines).toMatchObject([
      { kind: 'goods', quantity: 3, unit_price_minor: 0 },
      { kind: 'discount', quantity: 3, unit_price_minor: -7 },
    ]);
  });

  it('with negative goods alone is a write-off with its reason', () => {
    const lines = [
      { quantity: -5, priceMinor: 0, description: 'damaged' },
      { quantity: -2, priceMinor: 0, description: '' },
    ];
    expect(toOperations(invoice('1', lines))).toMatchObject([
      {
        kind: 'adjustment',
        reason: 'Invoice 1: damaged',
        lines: [{ sku: '85123A', delta: -7 }],
        totalMinor: 0,
        sourceLines: 2,
      },
    ]);
  });

  it('with goods of both signs is an order and then a write-off', () => {
    const operations = toOperations(invoice('1', [{ quantity: -5 }, { quantity: 4 }]));
    expect(operations.map(({ kind }) => kind)).toEqual(['order', 'adjustment']);
  });

  it('in parts tells its references apart', () => {
    expect(toOperations(invoice('1', [{}], 2))[0]!.reference).toBe('1/2');
  });

  it('writes more SKUs off in several adjustments than one takes', () => {
    const lines = Array.from({ length: 1_500 }, (_, index) => ({ sku: String(10_000 + index), quantity: -1 }));
    expect(toOperations(invoice('1', lines)).map(({ lines: of }) => of.length)).toEqual([1_000, 500]);
  });
});

describe('a cancellation', () => {
  it('is a return of what comes back, at positive quantities', () => {
    const [back] = toOperations(invoice('C1', [{ quantity: -6 }, { sku: 'POST', quantity: -1, priceMinor: 1_800 }]));
    expect(back).toMatchObject({ kind: 'return', totalMinor: 6 * 255 + 1_800 });
    expect(back!.lines).toMatchObject([
      { kind: 'goods', quantity: 6, unit_price_minor: 255 },
      { kind: 'charge', quantity: 1, unit_price_minor: 1_800 },
    ]);
    expect([...back!.changes]).toEqual([['85123A', 6]]);
  });

  it('takes off what is charged on it', () => {
    const [back] = toOperations(invoice('C1', [{ sku: 'M', quantity: 1, priceMinor: 300 }]));
    expect(back!.lines).toMatchObject([{ kind: 'discount', quantity: 1, unit_price_minor: -300 }]);
  });

  it('with goods that leave has an order for those', () => {
    expect(toOperations(invoice('C1', [{ quantity: 2 }])).map(({ kind }) => kind)).toEqual(['order']);
  });
});

describe('every invoice', () => {
  const line = fc.record({
    sku: fc.constantFrom('10001', '10002', '10003A', 'POST', 'D'),
    quantity: fc.integer({ min: -50, max: 50 }).filter((quantity) => quantity !== 0),
    priceMinor: fc.integer({ min: -500, max: 5_000 }),
    description: fc.constantFrom('', 'THING'),
  });

  it('keeps units, money and lines, and sends nothing negative that may not be', () => {
    fc.assert(
      fc.property(fc.constantFrom('1', 'C1'), fc.array(line, { minLength: 1, maxLength: 30 }), (number, lines) => {
        const operations = toOperations(invoice(number, lines));
        const moved = new Map<string, number>();
        let money = 0;
        for (const operation of operations) {
          expect(operation.lines.length).toBeGreaterThan(0);
          expect(new Set([...operation.changes.values()].map(Math.sign)).size).toBeLessThanOrEqual(1);
          for (const [sku, change] of operation.changes) moved.set(sku, (moved.get(sku) ?? 0) + change);
          money += operation.kind === 'return' ? -operation.totalMinor : operation.totalMinor;
          if (operation.kind === 'adjustment') continue;
          for (const sent of operation.lines) {
            expect(sent.quantity).toBeGreaterThan(0);
            expect(sent.kind === 'discount' ? sent.unit_price_minor <= 0 : sent.unit_price_minor >= 0).toBe(true);
            expect(Object.is(sent.unit_price_minor, -0)).toBe(false);
          }
        }
        const left = new Map<string, number>();
        for (const { sku, quantity } of lines.filter((of) => isGoods(of.sku))) {
          const comesBack = number === 'C1' && quantity < 0;
          left.set(sku, (left.get(sku) ?? 0) + (comesBack ? 1 : -1) * Math.abs(quantity));
        }
        expect(moved).toEqual(left);
        const billed = lines
          .filter(({ sku, quantity }) => !isGoods(sku) || quantity > 0)
          .reduce((sum, { quantity, priceMinor }) => sum + quantity * priceMinor, 0);
        const cameBack = lines
          .filter(({ sku, quantity }) => isGoods(sku) && quantity < 0 && number === 'C1')
          .reduce((sum, { quantity, priceMinor }) => sum + Math.abs(quantity) * priceMinor, 0);
        expect(money).toBe(billed - cameBack);
        expect(operations.reduce((sum, { sourceLines }) => sum + sourceLines, 0)).toBe(lines.length);
      }),
    );
  });
});
