import { KnownExhausted } from './known-exhausted';
import { type Check, type Measure, POLICIES, type PolicyName, type Verdict } from './policy';

const check = (name: PolicyName, limit: number): Check => ({ policy: POLICIES[name], limit, key: name });
const measure = (of: Check, used: number, resetMs: number): Measure => ({ check: of, used, resetMs });
const refusal = (...measures: Measure[]): Verdict => ({ admitted: false, measures, by: 'redis' });

describe('what is known to be exhausted', () => {
  const [api, auth] = [check('api', 3), check('auth', 5)];

  it('is refused until its reset, which counts down, and not a moment longer', () => {
    const known = new KnownExhausted(1e9);
    known.note(refusal(measure(api, 3, 1_000), measure(auth, 4, 9_000)), 100);
    expect(known.refuse([api, auth], 600)).toEqual({
      admitted: false,
      measures: [{ check: api, used: 3, resetMs: 500 }],
      by: 'memory',
    });
    expect(known.refuse([auth], 600)).toBeUndefined();
    expect(known.refuse([api], 1_098)).toBeDefined();
    expect(known.refuse([api], 1_099)).toBeUndefined(); // Redis rounds up
  });

  it.each([2, 4])('is asked about again at once with another limit (%i)', (limit) => {
    const known = new KnownExhausted(1e9);
    known.note(refusal(measure(api, 3, 1_000)), 0);
    expect(known.refuse([{ ...api, limit }], 1)).toBeUndefined();
  });

  it('is asked about again after the longest time, and tells the true reset until then', () => {
    const known = new KnownExhausted(2_000);
    known.note(refusal(measure(auth, 5, 900_000)), 0);
    expect(known.refuse([auth], 1_999)?.measures[0]?.resetMs).toBe(898_001);
    expect(known.refuse([auth], 2_000)).toBeUndefined();
  });

  it('is nothing that was admitted, though it was the last', () => {
    const known = new KnownExhausted(1e9);
    known.note({ admitted: true, measures: [measure(api, 3, 1_000)], by: 'redis' }, 0);
    expect(known.refuse([api], 1)).toBeUndefined();
  });
});
