import * as fc from 'fast-check';
import * as format from './format';

describe('numbers for people', () => {
  it.each([
    [format.count, 0, '0'],
    [format.count, 4321, '4,321'],
    [format.count, 12_345, '12.3 k'],
    [format.count, 999_999, '1 M'],
    [format.count, 1_234_567, '1.23 M'],
    [format.count, 0.25, '0.25'],
    [format.rate, 340, '340/s'],
    [format.rate, 1_234, '1.23 k/s'],
    [format.rate, 0.0667, '0.0667/s'],
    [format.bytes, 12_000_000, '12 MB'],
    [format.bytes, 999.9, '1 kB'],
    [format.byteRate, 1_760_000, '1.76 MB/s'],
    [format.duration, 0, '0 ms'],
    [format.duration, 340, '340 ms'],
    [format.duration, 1_204, '1.2 s'],
    [format.duration, 204_000, '3.4 min'],
    [format.duration, 40_123_456, '11.1 h'],
    [format.duration, 900_000_000, '10.4 d'],
    [format.seconds, 0, '0 s'],
    [format.seconds, 18.5, '18.5 s'],
    [format.percent, 0.123_4, '12.3 %'],
    [format.percent, 0.000_26, '0.026 %'],
    [format.percent, 0.9999, '99.99 %'],
    [format.percent, 0.999_95, '99.995 %'],
    [format.percent, 1, '100 %'],
    [format.percent, -0.214, '-21.4 %'],
    [format.times, 21.5, '21.5 ×'],
    [format.times, 0.0625, '0.06 ×'],
    [format.times, 0.001, '<0.01 ×'],
    [format.times, 0, '0 ×'],
  ])('%p of %p is %p', (of, value, text) => expect(of(value)).toBe(text));

  it('keeps three digits of any number, and never shows what is there as nothing', () => {
    const units: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 9e14, noNaN: true }), (value) => {
        const [digits, unit = ''] = format.count(value).split(' ');
        const shown = Number(digits!.replaceAll(',', '')) * units[unit]!;
        expect(Math.abs(shown - value) / value).toBeLessThanOrEqual(0.0051);
      }),
    );
  });

  it('tells money in its currency, small amounts with more digits', () => {
    expect(format.money(41_234_567, 'EUR')).toBe('€41.23');
    expect(format.money(1_234, 'EUR')).toBe('€0.0012');
    expect(format.money(41_234_567, 'EUR', 6)).toBe('€41.234567');
    expect(format.money(0, 'USD')).toBe('$0.00');
  });

  it('has every digit where it is exact', () => expect(format.exact(1_234_567.25)).toBe('1,234,567.25'));
});

describe('times for people', () => {
  const at = new Date('2026-11-24T04:05:12.345Z');

  it('are UTC wherever the browser is', () => {
    expect(format.clock(at)).toBe('04:05');
    expect(format.clockSeconds(at)).toBe('04:05:12');
    expect(format.day(at)).toBe('24 Nov');
    expect(format.exactTime(at)).toBe('2026-11-24 04:05:12 UTC');
    expect(format.periodStart(at, 'hour')).toBe('24 Nov 04:05');
  });

  it.each([
    [-5_000, '0 s'],
    [900, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [7_200_000, '2 h'],
    [4 * 86_400_000, '4 d'],
  ])('of %p ms ago are %p', (ms, text) => expect(format.age(ms)).toBe(text));
});
