import { LocalInsurance } from './local-insurance';
import { type Check, POLICIES, type PolicyName } from './policy';

const check = (name: PolicyName, limit: number, key = 'k'): Check => ({ policy: POLICIES[name], limit, key });

describe('the local insurance', () => {
  it('lets the limit of api through in a window, and again in the next', () => {
    const insurance = new LocalInsurance();
    const take = (nowMs: number) => insurance.take([check('api', 3)], nowMs, 1).admitted;
    expect([take(0), take(1), take(2), take(3), take(59_999)]).toEqual([true, true, true, false, false]);
    expect(take(60_000)).toBe(true);
  });

  it('is stricter with auth, and lets at least one attempt through', () => {
    const insurance = new LocalInsurance();
    const take = (limit: number, key: string) => insurance.take([check('auth', limit, key)], 0, 1).admitted;
    expect([take(5, 'a'), take(5, 'a'), take(5, 'a')]).toEqual([true, true, false]);
    expect([take(1, 'b'), take(1, 'b')]).toEqual([true, false]);
  });

  it.each([
    ['api', 100, 4, 25],
    ['api', 100, 3, 33],
    ['api', 2, 5, 1],
    ['auth', 100, 4, 12],
    ['auth', 5, 2, 1],
  ] as const)('divides %s of %i by %i processes: %i each', (name, limit, replicas, share) => {
    const insurance = new LocalInsurance();
    let admitted = 0;
    for (let i = 0; i <= limit; i += 1) if (insurance.take([check(name, limit)], 0, replicas).admitted) admitted += 1;
    expect(admitted).toBe(share);
  });

  it.each(['export', 'bulk'] as const)('refuses %s, which is too dear to go uncounted', (name) => {
    expect(() => new LocalInsurance().take([check('api', 3), check(name, 3, 'l')], 0, 1)).toThrow(
      expect.objectContaining({ code: 'rate_limits_unavailable', category: 'unavailable', retryAfterSeconds: 5 }),
    );
  });

  it('charges nothing when one of several checks is at its limit', () => {
    const insurance = new LocalInsurance();
    const both = [check('auth', 2, 'a'), check('auth', 10, 'b')];
    expect(insurance.take(both, 0, 1).admitted).toBe(true);
    for (let i = 0; i < 10; i += 1) expect(insurance.take(both, 0, 1).admitted).toBe(false);
    expect(insurance.take([check('auth', 10, 'b')], 0, 1).measures[0]?.used).toBe(2);
  });
});
