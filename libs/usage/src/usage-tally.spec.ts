import fc from 'fast-check';
import { type UsageBatch, UsageTally } from './usage-tally';

const HOUR = new Date(3_600_000);
const TENANTS = ['a', 'b'] as const;

/** The database's side: batches of a writer by rising number only. */
class Ledger {
  private newest = 0;
  sum = 0;

  apply({ number, increments }: UsageBatch): void {
    if (number <= this.newest) return;
    this.newest = number;
    for (const { value } of increments) this.sum += value;
  }
}

/** What happens to a batch on its way: it arrives or not, now or as a late copy, and its answer arrives or not. */
type Fate = 'confirmed' | 'answer lost' | 'lost' | 'late';

const step = fc.oneof(
  fc.record({
    kind: fc.constant('count' as const),
    tenant: fc.constantFrom(...TENANTS),
    value: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({
    kind: fc.constant('send' as const),
    tenant: fc.constantFrom(...TENANTS),
    fate: fc.constantFrom<Fate>('confirmed', 'answer lost', 'lost', 'late'),
  }),
  fc.record({ kind: fc.constant('arrive' as const), tenant: fc.constantFrom(...TENANTS) }),
);

describe('the tally of usage', () => {
  it('is written exactly once, whatever happens to batches and their answers, in whatever order copies arrive', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tally = new UsageTally();
        const sides = new Map(
          TENANTS.map((tenant) => [tenant, { ledger: new Ledger(), counted: 0, late: [] as UsageBatch[] }]),
        );
        const send = (tenant: (typeof TENANTS)[number], fate: Fate) => {
          const batch = tally.next(tenant);
          const side = sides.get(tenant)!;
          if (!batch) return;
          if (fate === 'late') side.late.push(batch);
          if (fate === 'confirmed' || fate === 'answer lost') side.ledger.apply(batch);
          if (fate === 'confirmed') tally.confirm(tenant);
        };
        for (const each of steps) {
          const side = sides.get(each.tenant)!;
          if (each.kind === 'count') {
            tally.add(each.tenant, { metric: 'm', periodStart: HOUR, value: each.value });
            side.counted += each.value;
          } else if (each.kind === 'send') send(each.tenant, each.fate);
          else for (const batch of side.late.splice(0)) side.ledger.apply(batch);
          expect(side.ledger.sum).toBeLessThanOrEqual(side.counted);
        }
        for (const [tenant, side] of sides) {
          while (tally.next(tenant)) send(tenant, 'confirmed');
          for (const batch of side.late) side.ledger.apply(batch);
          expect(side.ledger.sum).toBe(side.counted);
        }
        expect(tally.tenants()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('sends an unconfirmed batch again as it was, before what was counted meanwhile', () => {
    const tally = new UsageTally();
    tally.add('a', { metric: 'm', periodStart: HOUR, value: 1 });
    const first = tally.next('a');
    tally.add('a', { metric: 'm', periodStart: HOUR, value: 5 });
    expect(tally.isOwing('a')).toBe(true);
    expect(tally.next('a')).toEqual(first);
    tally.confirm('a');
    expect(tally.next('a')).toMatchObject({
      writer: first!.writer,
      number: 2,
      increments: [{ value: 5 }],
      activity: [],
    });
  });

  it('makes of the cells of a minute a whole, in which runs of jobs are no requests', () => {
    const tally = new UsageTally();
    const [route, job] = [tally.cell('a', 'GET /v1/a', 60_000), tally.cell('a', 'job t', 60_000)];
    for (const cell of [route, job]) {
      cell.amounts.calls += 1;
      cell.amounts.bytes_out += 5;
      cell.ended(1_000, true);
    }
    const { activity } = tally.next('a')!;
    expect(
      activity.map((each) => [each.activity, each.minute.getTime(), each.calls, each.errors, each.bytes_out]),
    ).toEqual([
      ['GET /v1/a', 60_000, 1, 1, 5],
      ['job t', 60_000, 1, 1, 5],
      ['', 60_000, 1, 1, 10],
    ]);
    expect(activity.map(({ latencies }) => latencies[1])).toEqual([1, 1, 1]);
  });

  it('keeps elder minutes by the hour while nothing can be written, and loses nothing of them', () => {
    const tally = new UsageTally();
    const MINUTES = 300;
    for (let minute = 7; minute < 7 + MINUTES; minute += 1) {
      const cell = tally.cell('a', 'GET /v1/a', minute * 60_000);
      cell.amounts.calls += 1;
      cell.ended(1_000, false);
    }
    const ofRoute = tally.next('a')!.activity.filter(({ activity }) => activity !== '');
    expect(ofRoute.length).toBeLessThanOrEqual(10 + MINUTES / 60 + 1);
    expect(ofRoute.reduce((sum, { calls }) => sum + calls, 0)).toBe(MINUTES);
    const hours = new Map<number, number>();
    for (const { minute, latencies } of ofRoute) {
      const hour = Math.floor(minute.getTime() / 3_600_000);
      hours.set(hour, (hours.get(hour) ?? 0) + latencies[1]!);
    }
    expect([...hours].sort()).toEqual([
      [0, 53],
      [1, 60],
      [2, 60],
      [3, 60],
      [4, 60],
      [5, 7],
    ]);
  });

  it('keeps nothing of a tenant that is gone', () => {
    const tally = new UsageTally();
    tally.add('a', { metric: 'm', periodStart: HOUR, value: 1 });
    tally.next('a');
    tally.add('a', { metric: 'm', periodStart: HOUR, value: 1 });
    tally.forget('a');
    expect(tally.next('a')).toBeUndefined();
  });
});
