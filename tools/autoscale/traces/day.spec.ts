import { DAY_SECONDS, shareOfPeak } from './day';
import profile from './retail-hours.json';
import { TRACES } from './traces';

describe('the day', () => {
  const of = (hours: readonly number[]) => (at: number) => shareOfPeak({ origin: {}, hours }, at);

  it('has the value of an hour in its middle, and goes straight from one to the next', () => {
    const share = of([0, 1, 0.5, ...new Array<number>(21).fill(0)]);
    expect(share(1.5 * 3_600)).toBe(1);
    expect(share(2 * 3_600)).toBe(0.75);
    expect(share(1 * 3_600)).toBe(0.5);
  });

  it('goes on at midnight', () => {
    const share = of([1, ...new Array<number>(22).fill(0), 0.5]);
    expect(share(0)).toBe(0.75);
    expect(share(DAY_SECONDS)).toBe(0.75);
  });

  it('is that of the retailer: 24 shares of the busiest hour, of which it has one', () => {
    expect(profile.hours).toHaveLength(24);
    expect(Math.max(...profile.hours)).toBe(1);
    expect(Math.min(...profile.hours)).toBeGreaterThanOrEqual(0);
    const day = TRACES.find(({ name }) => name === 'day')!;
    expect(day.rate((profile.hours.indexOf(1) + 0.5) * 3_600)).toBe(5_000);
  });
});
