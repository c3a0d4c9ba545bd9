import { evaluate, single } from './evaluate';
import { Samples } from './samples';
import { type Element, PromqlError } from './value';

function moment() {
  const samples = new Samples();
  const jobs = (instance: string, job_class: string, state: string, value: number) => ({
    metric: 'jobs',
    labels: { instance, job_class, state },
    value,
  });
  for (const at of [60, 75]) {
    samples.scrape(at, [
      jobs('one', 'bulk', 'waiting', 40 + at),
      jobs('two', 'bulk', 'waiting', 41 + at),
      jobs('one', 'low', 'waiting', 7),
      jobs('one', 'bulk', 'active', 3),
      { metric: 'slots', labels: { instance: 'one', job_class: 'bulk' }, value: 4 },
      ...(at === 60 ? [{ metric: 'slots', labels: { instance: 'gone', job_class: 'bulk' }, value: 9 }] : []),
    ]);
  }
  return { samples, at: 80 };
}

const answer = (query: string) => evaluate(query, moment());
const values = (query: string) => (answer(query) as readonly Element[]).map(({ value }) => value);

describe('PromQL', () => {
  it.each([
    ['jobs{state="waiting",job_class="bulk"}', [115, 116]],
    ["jobs{state='waiting',job_class!~'bu.*'}", [7]],
    ['jobs{job_class=~"low|high"}', [7]],
    ['max(jobs{state="waiting"})', [116]],
    ['max by (job_class) (jobs{state="waiting"})', [116, 7]],
    ['sum by (instance) (jobs{state="waiting"})', [122, 116]],
    ['max(sum by (instance) (jobs{state="waiting"}))', [122]],
    ['count(jobs) - min without (instance, job_class, state) (slots)', [0]],
    ['jobs{state="active"} + ignoring(state) slots * clamp_min(slots, 5) / 10', [5]],
    ['jobs{state="active"} + on(instance, job_class) slots', [7]],
    ['100 - slots', [96]],
    ['jobs > 50', [115, 116]],
    ['jobs{state="none"} or vector(0)', [0]],
    ['avg_over_time(jobs{job_class="bulk",state="waiting",instance="one"}[1m])', [107.5]],
    ['max_over_time(jobs{job_class="bulk",state="waiting",instance="one"}[10s])', [115]],
  ])('%s', (query, expected) => expect(values(query)).toEqual(expected));

  it('computes with numbers alone', () => expect(answer('(1 + 2) * 3')).toBe(9));

  it('has no series of what was not there at the last scrape', () => expect(values('slots')).toEqual([4]));

  it('has none of what was scraped too long ago', () => {
    expect(evaluate('slots', { ...moment(), at: 75 + 300 })).toEqual([]);
  });

  it('is asked for one number', () => {
    expect(single('max(jobs)', moment())).toBe(116);
    expect(single('max(jobs{state="none"})', moment())).toBeUndefined();
    expect(() => single('jobs', moment())).toThrow(PromqlError);
  });

  it.each([
    ['sum(jobs', 'no PromQL'],
    ['unheard_of', 'no metric unheard_of'],
    ['rate(jobs[5m])', 'no rate()'],
    ['quantile(0.5, jobs)', 'Not known'],
    ['jobs offset 5m', 'no OffsetExpr'],
    ['jobs{state="waiting"} + ignoring(state, instance) jobs', 'more than once'],
  ])('is refused where it is not understood: %s', (query, why) => expect(() => answer(query)).toThrow(why));
});
