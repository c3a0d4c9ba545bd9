import fc from 'fast-check';
import { Insurance } from './insurance';

describe('the insurance of a process', () => {
  it('begins when Redis has not answered for half a second, and says so once', () => {
    const insurance = new Insurance({ processes: 1 });
    expect([0, 300, 499].map((now) => insurance.failed(now, now))).toEqual([false, false, false]);
    expect(insurance.on(499)).toBe(false);
    expect(insurance.failed(500, 510)).toBe(true);
    expect(insurance.failed(600, 610)).toBe(false);
    expect(insurance.on(1e9)).toBe(true);
  });

  it('does not begin when there was an answer in between', () => {
    const insurance = new Insurance({ processes: 1 });
    insurance.failed(0, 50);
    expect(insurance.answered(100)).toBe(false);
    expect(insurance.failed(400, 600)).toBe(false);
    expect(insurance.failed(800, 950)).toBe(true);
  });

  it('settles after the return for as long as others may take to come back', () => {
    const insurance = new Insurance({ processes: 1 });
    insurance.failed(0, 500);
    expect(insurance.answered(2_000)).toBe(true);
    expect(insurance.answered(2_100)).toBe(false);
    expect([insurance.on(3_400), insurance.on(3_500)]).toEqual([true, false]);
  });

  it('lets all processes together have less than the limit and one for each', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 200 }), (limit, processes) => {
        const insurance = new Insurance({ processes });
        expect(insurance.part(limit)).toBeGreaterThanOrEqual(1);
        expect(insurance.part(limit) * processes).toBeLessThan(limit + processes);
        expect(insurance.part(0)).toBe(0);
      }),
    );
  });
});
