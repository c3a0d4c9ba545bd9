import { COST_CATEGORIES, type CostModel } from '#libs/config';
import fc from 'fast-check';
import { apportion } from './apportion';
import { costPeriod, partOfMonths } from './cost-period';
import { splitCosts, type TenantUse } from './cost-split';

const NOVEMBER = { from: new Date('2026-11-01T00:00:00Z'), to: new Date('2026-12-01T00:00:00Z') };
const MICROS = 1_000_000;

const amount = fc.double({ min: 0, max: 1_000_000, noNaN: true });
const capacity = fc.double({ min: 0.001, max: 1_000, noNaN: true });
const category = fc.oneof(
  fc.record({ per_month: amount }),
  fc.record({ per_month: amount, capacity }),
  fc.record({ unit_price: amount, capacity }),
);
const model: fc.Arbitrary<CostModel> = fc
  .record(
    {
      currency: fc.constant('EUR'),
      ...{ compute: category, database: category, storage: category, egress: category },
      overhead: fc.record({ per_month: amount }),
      shared: fc.constantFrom('by_use' as const, 'even' as const, 'by_weight' as const),
    },
    { requiredKeys: ['currency'] },
  )
  .map((made) => made as CostModel);
const use = fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 10n ** 18n }));
const tenants: fc.Arbitrary<TenantUse[]> = fc.array(
  fc.record({
    organizationId: fc.uuid(),
    weight: fc.integer({ min: 1, max: 1_000 }),
    ...{ compute: use, database: use, storage: use, egress: use },
  }),
  { minLength: 1, maxLength: 12 },
);
const period = fc.tuple(fc.integer({ min: 0, max: 800 }), fc.integer({ min: 1, max: 400 })).map(([first, days]) => ({
  from: new Date(Date.UTC(2026, 0, 1 + first)),
  to: new Date(Date.UTC(2026, 0, 1 + first + days)),
}));

const used = (organizationId: string, uses: Partial<TenantUse> = {}): TenantUse => ({
  ...{ organizationId, weight: 1, compute: 0n, database: 0n, storage: 0n, egress: 0n },
  ...uses,
});
const totals = (...given: Parameters<typeof splitCosts>) =>
  splitCosts(...given).tenants.map(({ total }) => Number(total) / MICROS);

describe('the split of costs', () => {
  it('adds up to the bill exactly, with no part below nothing, for any bill, rule and use', () => {
    fc.assert(
      fc.property(model, period, tenants, (priced, days, all) => {
        const { bill, total, tenants: costs } = splitCosts(priced, days, all);
        for (const name of [...COST_CATEGORIES, 'overhead'] as const) {
          for (const kind of ['direct', 'shared'] as const) {
            expect(costs.reduce((sum, { parts }) => sum + parts[name][kind], 0n)).toBe(bill[name][kind]);
            for (const { parts } of costs) expect(parts[name][kind] >= 0n).toBe(true);
          }
        }
        expect(costs.reduce((sum, cost) => sum + cost.total, 0n)).toBe(total);
      }),
      { numRuns: 300 },
    );
  });

  it('charges who used nothing its part of what is shared alone: none, an even one, or that of its weight', () => {
    fc.assert(
      fc.property(model, tenants, (priced, all) => {
        const idle = used('idle', { weight: 3 });
        const busy = used('busy', { compute: 1n, database: 1n, storage: 1n, egress: 1n });
        const everyone = [busy, ...all, idle];
        const { tenants: costs, bill } = splitCosts(priced, NOVEMBER, everyone);
        const weights = everyone.reduce((sum, { weight }) => sum + weight, 0);
        for (const name of COST_CATEGORIES) {
          const { direct, shared } = costs.at(-1)!.parts[name];
          expect(direct).toBe(0n);
          const fair =
            priced.shared === 'even'
              ? Number(bill[name].shared) / everyone.length
              : priced.shared === 'by_weight'
                ? (Number(bill[name].shared) * 3) / weights
                : 0;
          expect(Math.abs(Number(shared) - fair)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('charges use at price, and shares what of the capacity nobody used', () => {
    const priced: CostModel = { currency: 'EUR', compute: { unit_price: 2, capacity: 100 }, shared: 'even' };
    const hours = (count: number) => BigInt(count) * 3_600_000_000n;
    const [a, b, c] = splitCosts(priced, NOVEMBER, [
      used('a', { compute: hours(10) }),
      used('b', { compute: hours(30) }),
      used('c'),
    ]).tenants;
    expect([a, b, c].map((cost) => Number(cost!.parts.compute.direct) / MICROS)).toEqual([20, 60, 0]);
    expect([a, b, c].map((cost) => Number(cost!.parts.compute.shared) / MICROS)).toEqual([40, 40, 40]);
  });

  it('knows the whole of a capacity of storage for each hour of the period', () => {
    const priced: CostModel = { currency: 'EUR', storage: { per_month: 30, capacity: 10 }, shared: 'by_weight' };
    const gibHours = BigInt(5 * 1_073_741_824 * 24 * 30); // half of it, all the month
    const costs = totals(priced, NOVEMBER, [used('a', { storage: gibHours, weight: 1 }), used('b', { weight: 2 })]);
    expect(costs).toEqual([20, 10]);
  });

  it('never charges more than the bill when more was used than is paid for', () => {
    const priced: CostModel = { currency: 'EUR', egress: { unit_price: 1, capacity: 1 } };
    const gib = 1_073_741_824n;
    expect(totals(priced, NOVEMBER, [used('a', { egress: 3n * gib }), used('b', { egress: gib })])).toEqual([
      0.75, 0.25,
    ]);
  });

  it('splits overhead by what was charged for use, and evenly while nobody used anything', () => {
    const priced: CostModel = { currency: 'EUR', database: { per_month: 40 }, overhead: { per_month: 10 } };
    expect(totals(priced, NOVEMBER, [used('a', { database: 3n }), used('b', { database: 1n })])).toEqual([37.5, 12.5]);
    expect(totals(priced, NOVEMBER, [used('a'), used('b')])).toEqual([25, 25]);
    expect(splitCosts(priced, NOVEMBER, [])).toMatchObject({ tenants: [], total: 50_000_000n });
  });

  it('gives what does not come out even to the largest remainders, the first of equal ones', () => {
    expect(apportion(10n, [1n, 1n, 1n])).toEqual([4n, 3n, 3n]);
    expect(apportion(10n, [1n, 5n, 0n])).toEqual([2n, 8n, 0n]);
    expect(apportion(0n, [0n, 2n])).toEqual([0n, 0n]);
    expect(() => apportion(1n, [0n])).toThrow(RangeError);
  });
});

describe('the period of costs', () => {
  const at = (now: string, query: { from?: string; to?: string } = {}) => {
    const { from, to } = costPeriod(query, new Date(now));
    return [from.toISOString().slice(0, 10), to.toISOString().slice(0, 10)];
  };

  it('is the days of this month that are over, on the first day those of the last one', () => {
    expect(at('2026-11-25T14:00:00Z')).toEqual(['2026-11-01', '2026-11-25']);
    expect(at('2026-12-01T00:00:00Z')).toEqual(['2026-11-01', '2026-12-01']);
    expect(at('2026-12-01T09:00:00Z', { from: '2026-11-30', to: '2026-12-02' })).toEqual(['2026-11-30', '2026-12-02']);
  });

  it.each([
    [{ from: '2026-02-31' }, 'from'],
    [{ to: '2026-12-03' }, 'to'],
    [{ from: '2026-11-05', to: '2026-11-05' }, 'to'],
    [{ from: '2025-01-01', to: '2026-11-05' }, 'from'],
  ])('is refused for %j', (query, param) => {
    expect(() => at('2026-12-01T09:00:00Z', query)).toThrow(expect.objectContaining({ code: 'invalid_period', param }));
  });

  it('has the days of each month as equal parts of it', () => {
    const days = (from: string, to: string) => ({ from: new Date(from), to: new Date(to) });
    expect(partOfMonths(1_000n, NOVEMBER)).toBe(1_000n);
    expect(partOfMonths(280n, days('2026-02-27', '2026-03-03'))).toBe(20n + 18n);
    expect(partOfMonths(1_200n, days('2025-12-01', '2026-12-01'))).toBe(14_400n);
  });
});
