import * as fc from 'fast-check';
import { pauseMs } from './pause';

describe('pauseMs', () => {
  it('doubles up to half a minute, at least half of it', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 50].map((failures) => pauseMs(failures, 1))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect(pauseMs(3, 0)).toBe(2_000);
  });

  it('after a stream that ended as it should is left to chance within a second', () => {
    expect(pauseMs(0, 0)).toBe(0);
    expect(pauseMs(0, 0.5)).toBe(500);
  });

  it('spreads tabs that fail at once, and is never shorter than the server asks', () => {
    fc.assert(
      fc.property(
        fc.nat(40),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(120_000),
        (failures, random, after) => {
          const pause = pauseMs(failures, random, after);
          expect(pause).toBeGreaterThanOrEqual(after);
          expect(pause).toBeLessThanOrEqual(Math.max(30_000, after + 1_000));
        },
      ),
    );
    expect(new Set(Array.from({ length: 100 }, (_, tab) => pauseMs(4, tab / 100))).size).toBe(100);
  });
});
