import { RequestWindow } from './request-window';

describe('the window of requests', () => {
  it('is empty without requests', () => {
    expect(new RequestWindow(0).signals(90_000)).toEqual({ perSecond: 0, p95Ms: 0 });
  });

  it('tells the rate of the last minute, and of a younger process that since its start', () => {
    const window = new RequestWindow(0);
    for (let second = 0; second < 120; second += 1) {
      for (let n = 0; n < 50; n += 1) window.record(5, second * 1_000 + n);
      if (second === 9) expect(window.signals(10_000).perSecond).toBe(50);
    }
    expect(window.signals(119_999).perSecond).toBe(50);
    expect(window.signals(150_000).perSecond).toBeCloseTo((29 * 50) / 60);
    expect(window.signals(180_000).perSecond).toBe(0);
  });

  it('finds what 95 % were answered within, never too low and at most 9 % too high', () => {
    const window = new RequestWindow(0);
    const durations = Array.from({ length: 1_000 }, (_, n) => 1.5 ** (n / 50));
    for (const ms of durations) window.record(ms, 1_000);
    const exact = durations[949]!;
    const { p95Ms } = window.signals(1_500);
    expect(p95Ms).toBeGreaterThanOrEqual(exact);
    expect(p95Ms).toBeLessThanOrEqual(exact * 1.091);
  });

  it('takes what is shorter than the first bucket and longer than the last', () => {
    const [short, long] = [new RequestWindow(0), new RequestWindow(0)];
    short.record(0, 500);
    long.record(10_000_000, 500);
    expect(short.signals(900).p95Ms).toBe(1);
    expect(long.signals(900).p95Ms).toBeGreaterThan(120_000);
  });

  it('forgets a request a minute later', () => {
    const window = new RequestWindow(0);
    window.record(900, 1_000);
    expect(window.signals(60_999).p95Ms).toBeGreaterThan(0);
    expect(window.signals(61_000)).toEqual({ perSecond: 0, p95Ms: 0 });
  });
});
