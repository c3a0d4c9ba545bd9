import fc from 'fast-check';
import { canonicalCron } from './cron-expression';
import { nextTick, ticksFrom } from './ticks';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A stretch of time that the clocks of a zone were put forward or back in. */
interface Window {
  readonly zone: string;
  readonly start: number;
}

/** What the clocks show, as a number of minutes that has no time zone. */
function clocks(zone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric' },
  });
  return (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute) / MINUTE;
  };
}

const WINDOWS: readonly Window[] = [
  { zone: 'UTC', start: Date.UTC(2028, 1, 28) },
  { zone: 'America/New_York', start: Date.UTC(2027, 2, 13) }, // 02:00 → 03:00
  { zone: 'America/New_York', start: Date.UTC(2027, 10, 6) }, // 02:00 → 01:00
  { zone: 'Europe/London', start: Date.UTC(2027, 2, 27) }, // 01:00 → 02:00
  { zone: 'Europe/Dublin', start: Date.UTC(2027, 9, 30) }, // winter time is the exception
  { zone: 'Australia/Lord_Howe', start: Date.UTC(2027, 9, 1) }, // half an hour
  { zone: 'Australia/Lord_Howe', start: Date.UTC(2027, 3, 2) },
  { zone: 'Antarctica/Troll', start: Date.UTC(2027, 2, 27) }, // two hours
  { zone: 'Antarctica/Troll', start: Date.UTC(2027, 9, 30) },
  { zone: 'Africa/Cairo', start: Date.UTC(2027, 3, 28) }, // midnight is skipped
  { zone: 'Africa/Cairo', start: Date.UTC(2027, 9, 27) }, // midnight comes twice
  { zone: 'America/Havana', start: Date.UTC(2027, 2, 13) },
  { zone: 'Pacific/Chatham', start: Date.UTC(2027, 8, 24) }, // 12 hours 45 minutes from UTC
  { zone: 'Asia/Kathmandu', start: Date.UTC(2027, 11, 30) },
];
const MINUTES = (2.2 * DAY) / MINUTE;

const shownIn = new Map(
  WINDOWS.map((window) => {
    const shows = clocks(window.zone);
    return [window, Array.from({ length: MINUTES }, (_, index) => shows(window.start + index * MINUTE))];
  }),
);

/** The grammar once more, and by other means: does a field match a value? */
function matches(field: string, value: number, least: number, most: number): boolean {
  return field.split(',').some((part) => {
    const [span, step = '1'] = part.split('/');
    const [from, to] = span === '*' ? [least, most] : span!.split('-').map(Number);
    return value >= from! && value <= (to ?? from!) && (value - from!) % Number(step) === 0;
  });
}

function fits(cron: string, shown: number): boolean {
  const [minute, hour, day, month, weekday] = cron.split(' ') as [string, string, string, string, string];
  const at = new Date(shown * MINUTE);
  const onDay = matches(day, at.getUTCDate(), 1, 31);
  const onWeekday = [0, 7].some(
    (sunday) => matches(weekday, at.getUTCDay() || sunday, 0, 7), // 0 and 7 are both Sunday
  );
  return (
    matches(minute, at.getUTCMinutes(), 0, 59) &&
    matches(hour, at.getUTCHours(), 0, 23) &&
    matches(month, at.getUTCMonth() + 1, 1, 12) &&
    (day === '*' ? onWeekday : weekday === '*' ? onDay : onDay || onWeekday)
  );
}

/** Every tick of a window, found by looking at each minute. */
function scan(cron: string, window: Window): number[] {
  const shown = shownIn.get(window)!;
  const isFixed = !/[*/]/.test(cron.split(' ').slice(0, 2).join(' '));
  let latest = shown[0]! - 1;
  return shown.flatMap((now, index) => {
    const skipped = now - latest > 1 ? Array.from({ length: now - latest - 1 }, (_, gap) => latest + 1 + gap) : [];
    const isSecondPass = now <= latest;
    latest = Math.max(latest, now);
    const fires = isFixed
      ? (!isSecondPass && fits(cron, now)) || skipped.some((missed) => fits(cron, missed))
      : fits(cron, now);
    return fires ? [window.start + index * MINUTE] : [];
  });
}

function ticksIn(cron: string, { zone, start }: Window): number[] {
  const found: number[] = [];
  const end = start + MINUTES * MINUTE;
  for (let at = start - 1; ;) {
    const next = nextTick({ cron, time_zone: zone }, new Date(at))?.getTime();
    if (next === undefined || next >= end) return found;
    found.push(next);
    at = next;
  }
}

const field = (least: number, most: number) => {
  const value = fc.integer({ min: least, max: most });
  const span = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const step = fc.integer({ min: 1, max: most - least });
  const part = fc.oneof(
    value.map(String),
    span,
    fc.tuple(fc.oneof(fc.constant('*'), span), step).map(([of, by]) => `${of}/${by}`),
  );
  return fc.oneof(fc.constant('*'), fc.array(part, { minLength: 1, maxLength: 3 }).map(String));
};
const expression = fc
  .tuple(
    field(0, 59),
    fc.oneof(field(0, 23), field(0, 4)),
    fc.oneof(fc.constant('*'), field(1, 31)),
    fc.oneof(fc.constant('*'), field(1, 12)),
    fc.oneof(fc.constant('*'), field(0, 7)),
  )
  .map((fields) => fields.join(' '));

describe('Ticks', () => {
  it('are those that a look at every minute finds, also where the clocks are put forward and back', () => {
    fc.assert(
      fc.property(expression, fc.constantFrom(...WINDOWS), (cron, window) => {
        let canonical: string;
        try {
          canonical = canonicalCron(cron);
        } catch {
          return; // a day that no month has
        }
        expect(ticksIn(canonical, window)).toEqual(scan(canonical, window));
      }),
      { numRuns: 80 },
    );
  }, 120_000);

  const inNewYork = (cron: string, after: string, count: number) =>
    ticksFrom(
      { cron, time_zone: 'America/New_York' },
      nextTick({ cron, time_zone: 'America/New_York' }, new Date(after))!,
      count,
    ).map((tick) => tick.toISOString().slice(5, 16));

  it('of a fixed time that is skipped fall on the end of the gap, once', () => {
    expect(inNewYork('30 2 * * *', '2027-03-13T12:00Z', 2)).toEqual(['03-14T07:00', '03-15T06:30']);
    expect(inNewYork('0,30 2 * * *', '2027-03-13T12:00Z', 2)).toEqual(['03-14T07:00', '03-15T06:00']);
  });

  it('of a fixed time that comes twice are those of the first time, also when asked in between', () => {
    expect(inNewYork('30 1 * * *', '2027-11-07T00:00Z', 2)).toEqual(['11-07T05:30', '11-08T06:30']);
    expect(inNewYork('30 1 * * *', '2027-11-07T06:10Z', 1)).toEqual(['11-08T06:30']);
  });

  it('of an interval go on evenly in real time', () => {
    expect(inNewYork('*/30 * * * *', '2027-03-14T06:10Z', 3)).toEqual(['03-14T06:30', '03-14T07:00', '03-14T07:30']);
    expect(inNewYork('*/30 * * * *', '2027-11-07T05:10Z', 4)).toEqual([
      '11-07T05:30',
      '11-07T06:00',
      '11-07T06:30',
      '11-07T07:00',
    ]);
  });

  it('on both days where day of the month and day of the week are given', () => {
    const after = new Date('2027-03-01T12:00Z');
    const ticks = ticksFrom({ cron: '0 0 13 * 1', time_zone: 'UTC' }, new Date('2027-03-08T00:00Z'), 3);
    expect(nextTick({ cron: '0 0 13 * 1', time_zone: 'UTC' }, after)).toEqual(ticks[0]);
    expect(ticks.map((tick) => tick.getUTCDate())).toEqual([8, 13, 15]);
  });

  it('are found years ahead', () => {
    expect(nextTick({ cron: '0 0 29 2 *', time_zone: 'UTC' }, new Date('2097-01-01T00:00Z'))?.getUTCFullYear()).toBe(
      2104,
    );
  });
});
