import type { Tier } from '#libs/tenancy';
import { ActivityCell } from '#libs/usage';
import { budgetsOf, type WindowSums } from './budgets';

const objective = (availability: number) => ({ availability, latency: 0.9, latency_ms: 100 });
const OBJECTIVES = {
  free: objective(0.9),
  starter: objective(0.99),
  professional: objective(0.999),
  enterprise: objective(0.999),
};

function cell(calls: number, errors: number, latenciesMs: readonly number[] = []): ActivityCell {
  const made = new ActivityCell();
  for (const ms of latenciesMs) made.ended(ms * 1_000, false);
  Object.assign(made.amounts, { calls, errors });
  return made;
}

const sums = (month: [Tier, ActivityCell][], hour: [Tier, ActivityCell][] = []): WindowSums => ({
  ...{ month: new Map(month), hour: new Map(hour), sixHours: new Map(hour) },
});

describe('budgets', () => {
  it('are what is left of what the objective allows, below 0 where it was missed', () => {
    const of = (errors: number) => budgetsOf('free', ['free'], sums([['free', cell(100, errors)]]), OBJECTIVES)[0]!;
    expect([0, 5, 10, 15].map((errors) => of(errors).remaining_ratio)).toEqual([1, 0.5, 0, -0.5]);
    expect(of(5)).toMatchObject({ tier: 'free', target: 0.9, events: 100, bad: 5, burn_1h: null, burn_6h: null });
  });

  it('burn as fast as the last hours would use them up', () => {
    const read = sums([['starter', cell(10_000, 10)]], [['starter', cell(100, 5)]]);
    expect(budgetsOf('starter', ['starter'], read, OBJECTIVES)[0]).toMatchObject({ burn_1h: 5, burn_6h: 5 });
  });

  it('of latency are about what was timed, and bad is what took longer than the objective', () => {
    const read = sums([['free', cell(100, 0, [10, 20, 99, 101, 120, 150, 60, 50, 40, 5])]]);
    const [, latency] = budgetsOf('free', ['free'], read, OBJECTIVES);
    expect(latency).toMatchObject({ objective: 'latency', events: 10, target: 0.9 });
    expect(latency!.bad).toBeGreaterThanOrEqual(2);
    expect(latency!.bad).toBeLessThanOrEqual(4); // 99 and 101 are too near to be told apart
  });

  it('of several tiers allow each request what its tier does', () => {
    const read = sums([
      ['free', cell(100, 6)],
      ['starter', cell(1_000, 4)],
    ]);
    const [all] = budgetsOf('all', ['free', 'starter', 'professional'], read, OBJECTIVES);
    expect(all).toMatchObject({ tier: 'all', events: 1_100, bad: 10, remaining_ratio: 0.5 }); // of 10 + 10
    expect(all!.target).toBeCloseTo(1 - 20 / 1_100);
  });

  it('of nothing are not known, and held to the strictest of their objectives', () => {
    const [none] = budgetsOf('all', ['free', 'starter'], sums([]), OBJECTIVES);
    expect(none).toMatchObject({ events: 0, target: 0.99, remaining_ratio: null, burn_1h: null });
  });
});
