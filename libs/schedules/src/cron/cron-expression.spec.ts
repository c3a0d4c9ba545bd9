import { StockyardError } from '#libs/kernel';
import { canonicalCron } from './cron-expression';
import { isTimeZone, localTimes, requireTimeZone } from './time-zone';

function refusal(text: string): StockyardError {
  try {
    canonicalCron(text);
  } catch (error) {
    if (error instanceof StockyardError) return error;
  }
  throw new Error(`"${text}" was accepted.`);
}

describe('A cron expression', () => {
  it.each([
    ['* * * * *', '* * * * *'],
    ['  30\t6  * *  mon-fri ', '30 6 * * MON-FRI'],
    ['*/15 0-23/2 1,15 jan,JUL 0', '*/15 0-23/2 1,15 JAN,JUL 0'],
    ['0 0 29 2 *', '0 0 29 2 *'],
    ['0 0 31 2,3 *', '0 0 31 2,3 *'],
    ['0 0 31 2 MON', '0 0 31 2 MON'], // fires on Mondays
    ['0 0 * * 5-7', '0 0 * * 5-7'],
  ])('%s is taken as %s', (text, canonical) => {
    expect(canonicalCron(text)).toBe(canonical);
  });

  it.each([
    ['', undefined, /five fields/],
    ['@daily', undefined, /five fields.*@daily/],
    ['* * * *', undefined, /has 4/],
    ['0 * * * * *', undefined, /has 6.*Seconds/],
    ['60 * * * *', 'minute', /minute "60" does not exist.*0 to 59/],
    ['* 24 * * *', 'hour', /hour "24" does not exist.*0 to 23/],
    ['* * 0 * *', 'day of the month', /1 to 31/],
    ['* * * 13 *', 'month', /1 to 12, JAN to DEC/],
    ['* * * * 8', 'day of the week', /0 to 7, SUN to SAT/],
    ['* * * FOO *', 'month', /month "FOO" does not exist/],
    ['MON * * * *', 'minute', /minute "MON" does not exist/],
    ['every minute of the hour', 'minute', /minute "EVERY" is not readable/],
    ['*/0 * * * *', 'minute', /step 0 of the minute.*1 to 59/],
    ['*/60 * * * *', 'minute', /step 60/],
    ['5/10 * * * *', 'minute', /step without a range; write "5-59\/10"/],
    ['* 20-4 * * *', 'hour', /runs backwards/],
    ['* * L * *', 'day of the month', /not readable/],
    ['* * ? * *', 'day of the month', /not readable/],
    ['1,,2 * * * *', 'minute', /not readable/],
    ['-1 * * * *', 'minute', /not readable/],
    ['1.5 * * * *', 'minute', /not readable/],
    ['0 0 31 2 *', 'day of the month', /never fires: day 31 is not in FEB.*29 or less, or the month/],
    ['0 0 30-31 2 *', 'day of the month', /never fires: day 30/],
    ['0 0 31 2,APR,6 *', 'day of the month', /never fires: day 31 is not in FEB, APR, JUN.*30 or less/],
  ])('%s is refused, naming the field %s', (text, field, message) => {
    expect(refusal(text)).toMatchObject({ code: 'invalid_cron', category: 'invalid', param: 'cron' });
    expect(refusal(text).message).toMatch(message);
    expect(refusal(text).details?.field).toBe(field);
  });
});

describe('A time zone', () => {
  it.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])('%s is one', (name) => {
    expect(isTimeZone(name)).toBe(true);
  });

  it.each(['', '+02:00', 'Mars/Phobos', 'Europe', 'Europe/', '../etc', ' UTC'])('"%s" is none', (name) => {
    expect(() => requireTimeZone(name)).toThrow(
      expect.objectContaining({ code: 'invalid_time_zone', param: 'time_zone' }),
    );
  });

  it('shows the time on its clocks, with the offset that holds then', () => {
    const [winter, summer] = [new Date('2027-01-31T23:30:00Z'), new Date('2027-07-31T23:30:00Z')];
    expect([winter, summer].map(localTimes('Europe/Berlin'))).toEqual([
      '2027-02-01T00:30:00+01:00',
      '2027-08-01T01:30:00+02:00',
    ]);
    expect(localTimes('UTC')(winter)).toBe('2027-01-31T23:30:00+00:00');
    expect(localTimes('Asia/Kathmandu')(winter)).toBe('2027-02-01T05:15:00+05:45');
    expect(localTimes('America/St_Johns')(summer)).toBe('2027-07-31T21:00:00-02:30');
  });
});
