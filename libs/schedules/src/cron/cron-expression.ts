/**
 * Cron expressions as tenants may write them: five fields, so that the shortest interval is a minute, in the part of the
 * grammar that every cron agrees on: `*`, numbers, names of months and weekdays, ranges, lists and steps. What is wrong is
 * told by the name of the field, before anything is computed.
 */
import { StockyardError } from '#libs/kernel';

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Stand for least, least + 1, … */
  readonly names?: readonly string[];
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const FIELDS = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day of the month', least: 1, most: 31 },
  { name: 'month', least: 1, most: 12, names: MONTHS },
  { name: 'day of the week', least: 0, most: 7, names: WEEKDAYS },
] as const satisfies readonly Field[];

/** Days of each month in a leap year. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** `*` or a value or a range, and a step. */
const PART = /^(?:(?<all>\*)|(?<from>[0-9]{1,2}|[A-Z]{3})(?:-(?<to>[0-9]{1,2}|[A-Z]{3}))?)(?:\/(?<step>[0-9]{1,2}))?$/;

function invalid(message: string, field?: string): StockyardError {
  return new StockyardError({
    code: 'invalid_cron',
    category: 'invalid',
    param: 'cron',
    message,
    ...(field !== undefined && { details: { field } }),
  });
}

/** For an expression whose next tick is beyond any horizon. */
export function neverFires(cron: string): StockyardError {
  return invalid(`The expression "${cron}" has no next time; change its day of the month, its month or the time zone.`);
}

/**
 * The expression in capitals with single spaces. Throws `invalid_cron` (400), naming the field at fault and what to write
 * instead, also for one that never fires.
 */
export function canonicalCron(text: string): string {
  const parts = text.trim().toUpperCase().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    throw invalid(
      `A cron expression has five fields (minute, hour, day of the month, month, day of the week), such as ` +
        `"30 6 * * MON-FRI"; this one has ${parts.length}. Seconds, years and words such as @daily are not taken.`,
    );
  }
  const [, , days, months] = parts.map((part, index) => valuesOf(part, FIELDS[index]!));
  if (parts[4] === '*') requireDay(days!, months!);
  return parts.join(' ');
}

/** Every value that a field stands for, 7 for Sunday included as it is written. */
function valuesOf(text: string, field: Field): number[] {
  return text.split(',').flatMap((part) => {
    const found = PART.exec(part)?.groups;
    if (!found) throw invalid(`The ${field.name} "${part}" is not readable; write ${grammarOf(field)}.`, field.name);
    const { all, from, to, step } = found;
    const stride = step === undefined ? 1 : strideOf(step, field);
    if (all !== undefined) return range(field.least, field.most, stride);
    if (to === undefined && step !== undefined) {
      const written = `${from!}-${field.most}/${step}`;
      throw invalid(`The ${field.name} "${part}" has a step without a range; write "${written}".`, field.name);
    }
    const [first, last] = [valueOf(from!, field), valueOf(to ?? from!, field)];
    if (first <= last) return range(first, last, stride);
    throw invalid(
      `The ${field.name} "${part}" runs backwards; write the smaller value first, or two ranges with a comma.`,
      field.name,
    );
  });
}

function valueOf(text: string, field: Field): number {
  const named = field.names?.indexOf(text) ?? -1;
  const value = named >= 0 ? named + field.least : Number(text);
  if (value >= field.least && value <= field.most) return value;
  throw invalid(`The ${field.name} "${text}" does not exist; write ${grammarOf(field)}.`, field.name);
}

function strideOf(text: string, field: Field): number {
  const [value, most] = [Number(text), field.most - field.least];
  if (value >= 1 && value <= most) return value;
  throw invalid(`The step ${text} of the ${field.name} is not a whole number from 1 to ${most}.`, field.name);
}

function grammarOf({ least, most, names }: Field): string {
  const values = `${least} to ${most}${names ? `, ${names[0]!} to ${names[names.length - 1]!}` : ''}`;
  return `* or values (${values}), ranges (a-b), lists (a,b) and steps (*/n, a-b/n)`;
}

function range(first: number, last: number, step: number): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
}

/** Refuses days that none of the months has, such as 31 February. */
function requireDay(days: readonly number[], months: readonly number[]): void {
  const earliest = Math.min(...days);
  const longest = months.reduce((a, b) => (MONTH_DAYS[b - 1]! > MONTH_DAYS[a - 1]! ? b : a));
  if (earliest <= MONTH_DAYS[longest - 1]!) return;
  throw invalid(
    `The expression never fires: day ${earliest} is not in ${months.map((month) => MONTHS[month - 1]!).join(', ')}. ` +
      `Change the day of the month to ${MONTH_DAYS[longest - 1]!} or less, or the month.`,
    'day of the month',
  );
}
