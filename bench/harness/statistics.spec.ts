/** Order statistics hold what they promise for any numbers. */
import fc from 'fast-check';
import { quantile, spread } from './statistics';

const values = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('a spread', () => {
  it('is ordered, within the values, and does not depend on their order', () => {
    fc.assert(
      fc.property(values, (numbers) => {
        const { min, q1, median, q3, max } = spread(numbers);
        expect([min, max]).toEqual([Math.min(...numbers), Math.max(...numbers)]);
        expect(min <= q1 && q1 <= median && median <= q3 && q3 <= max).toBe(true);
        expect(spread([...numbers].reverse())).toEqual({ min, q1, median, q3, max });
      }),
    );
  });

  it('has half of the values on either side of the median', () => {
    fc.assert(
      fc.property(values, (numbers) => {
        const { median } = spread(numbers);
        expect(numbers.filter((number) => number <= median).length).toBeGreaterThanOrEqual(numbers.length / 2);
        expect(numbers.filter((number) => number >= median).length).toBeGreaterThanOrEqual(numbers.length / 2);
      }),
    );
  });

  it('moves its median less than its maximum for one wild value', () => {
    expect(spread([1, 1, 1, 1, 1_000])).toEqual({ min: 1, q1: 1, median: 1, q3: 1, max: 1_000 });
    expect(spread([1, 2, 3, 4])).toEqual({ min: 1, q1: 1.75, median: 2.5, q3: 3.25, max: 4 });
  });
});

it('there is no quantile of nothing', () => {
  expect(() => quantile([], 0.5)).toThrow(RangeError);
});
