/** Opening stock: exact decimals, rounded down. */
import fc from 'fast-check';
import { openingStock, parseScarcity } from './scarcity';

describe('scarcity', () => {
  it('is exact where binary fractions are not', () => {
    expect(openingStock(100, parseScarcity('0.29')!)).toBe(29); // 100 * 0.29 is 28.999…
    expect(openingStock(10, parseScarcity('0.7')!)).toBe(7);
  });

  it('rounds down', () => {
    expect(openingStock(9, parseScarcity('0.7')!)).toBe(6);
    expect(openingStock(1, parseScarcity('0.999999')!)).toBe(0);
  });

  it('of 1 is what leaves, of 0 is nothing, and more never gives less', () => {
    const outflow = fc.integer({ min: 0, max: 1_000_000_000 });
    const millionths = fc.integer({ min: 0, max: 2_000_000 });
    fc.assert(
      fc.property(outflow, millionths, millionths, (units, a, b) => {
        const [less, more] = a <= b ? [a, b] : [b, a];
        expect(openingStock(units, { millionths: less })).toBeLessThanOrEqual(
          openingStock(units, { millionths: more }),
        );
        expect(openingStock(units, { millionths: 1_000_000 })).toBe(units);
        expect(openingStock(units, { millionths: 0 })).toBe(0);
      }),
    );
  });

  it.each(['', '-1', '1e-3', '0.1234567', '1000.1', 'NaN', '.5'])('does not read "%s"', (text) => {
    expect(parseScarcity(text)).toBeUndefined();
  });
});
