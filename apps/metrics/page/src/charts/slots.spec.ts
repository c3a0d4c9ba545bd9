import type { Period, Point } from '../api/views';
import { CHARTS, summaryOf } from './definitions';
import { slotsOf } from './slots';

const period: Period = {
  range: '1h',
  granularity: 'minute',
  from: '2026-11-24T13:05:30.000Z',
  to: '2026-11-24T14:05:30.000Z',
};
const point = (time: string, calls: number): Point => ({
  period_start: `2026-11-24T${time}:00.000Z`,
  calls,
  errors: calls / 10,
  refusals: 0,
  p50_ms: 1,
  p95_ms: 2,
  p99_ms: null,
  busy_ms: 0,
  job_ms: 0,
  database_ms: 0,
  queries: 0,
  bytes_out: 0,
});
const [load, errors] = CHARTS;

describe('slotsOf', () => {
  const slots = slotsOf(period, [point('13:10', 60), point('14:05', 60)]);

  it('has every period, with and without anything in it', () => {
    expect(slots).toHaveLength(61);
    expect(new Date(slots[0]!.start * 1000).toISOString()).toBe('2026-11-24T13:05:00.000Z');
    expect(slots.filter((slot) => slot.point)).toHaveLength(2);
  });

  it('makes a silent minute no requests, and no share of failures', () => {
    expect([load!.lines[0]!.of(slots[0]!), errors!.lines[0]!.of(slots[0]!)]).toEqual([0, null]);
  });

  it('takes the period that is still running for as wide as it is old', () => {
    expect(load!.lines[0]!.of(slots[5]!)).toBe(1);
    expect(load!.lines[0]!.of(slots.at(-1)!)).toBe(2);
  });

  it('leaves out one that has hardly begun', () => {
    expect(slotsOf({ ...period, to: '2026-11-24T14:05:05.000Z' }, [])).toHaveLength(60);
  });

  it('is told in words', () => {
    expect(summaryOf(load!, slots)).toBe(
      'Load. Requests a second. let in: latest 2/s, highest 2/s; refused: latest 0/s, highest 0/s.',
    );
    expect(summaryOf(CHARTS[2]!, slots)).toContain('p99: nothing to tell');
  });
});
