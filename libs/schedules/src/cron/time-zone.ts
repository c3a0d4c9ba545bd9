/** Time zones by their IANA names, and times as the clocks there show them. */
import { StockyardError } from '#libs/kernel';

/** A name, not an offset: an offset knows no summer time. */
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/;

/** Throws `invalid_time_zone` (400) for a name that the time zone database of this runtime does not have. */
export function requireTimeZone(name: string): void {
  if (isTimeZone(name)) return;
  throw new StockyardError({
    code: 'invalid_time_zone',
    category: 'invalid',
    param: 'time_zone',
    message: `"${name}" is not a time zone; write a name of the IANA database, such as Europe/Berlin or UTC.`,
  });
}

export function isTimeZone(name: string): boolean {
  try {
    return NAME.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }).format() !== '';
  } catch {
    return false;
  }
}

/** Formats instants as RFC 3339 with the offset that holds in the zone then. */
export function localTimes(timeZone: string): (at: Date) => string {
  const two = '2-digit';
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, calendar: 'iso8601', hourCycle: 'h23', timeZoneName: 'longOffset', year: 'numeric' },
    ...{ month: two, day: two, hour: two, minute: two, second: two },
  });
  return (at) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const offset = part.timeZoneName!.replace('GMT', '') || '+00:00';
    return `${part.year!}-${part.month!}-${part.day!}T${part.hour!}:${part.minute!}:${part.second!}${offset}`;
  };
}
