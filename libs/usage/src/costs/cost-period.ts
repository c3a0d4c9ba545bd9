/** Days that costs are asked for, and the part of a month's amount that falls on them: a month's days are equal parts of it. */
import { checkPeriod, invalidPeriod } from '../period-check';

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 400;

/** From the start of a day in UTC, up to but without the start of another. */
export interface CostPeriod {
  readonly from: Date;
  readonly to: Date;
}

interface MonthPart {
  readonly days: number;
  readonly ofDays: number;
}

/** `2026-02-31` is no day, although its form is right. */
function dayOf(text: string, param: 'from' | 'to'): Date {
  const day = new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text)
    throw invalidPeriod(param, 'There is no such day.');
  return day;
}

/**
 * The days that a caller means: by default those of the month that are over; on its first day, those of the month before. Throws
 * `invalid_period` (400) for a period that ends before it begins, after today, or is longer than 400 days.
 */
export function costPeriod(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: Date = new Date(),
): CostPeriod {
  const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  const end = to === undefined ? new Date(today) : dayOf(to, 'to');
  const last = new Date(end.getTime() - DAY_MS);
  const begin =
    from === undefined ? new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth())) : dayOf(from, 'from');
  if (end.getTime() > today + DAY_MS) throw invalidPeriod('to', 'Costs are known up to today; send an earlier `to`.');
  checkPeriod(begin, end, LONGEST_DAYS);
  return { from: begin, to: end };
}

export function daysIn({ from, to }: CostPeriod): number {
  return (to.getTime() - from.getTime()) / DAY_MS;
}

/** What an amount of each month comes to in the period, rounded once a month. */
export function partOfMonths(perMonth: bigint, period: CostPeriod): bigint {
  return monthParts(period).reduce((sum, { days, ofDays }) => {
    const [part, whole] = [BigInt(days), BigInt(ofDays)];
    return sum + (2n * perMonth * part + whole) / (2n * whole);
  }, 0n);
}

function monthParts({ from, to }: CostPeriod): MonthPart[] {
  const parts: MonthPart[] = [];
  for (let begin = from; begin < to;) {
    const next = new Date(Date.UTC(begin.getUTCFullYear(), begin.getUTCMonth() + 1));
    const first = Date.UTC(begin.getUTCFullYear(), begin.getUTCMonth());
    const end = next < to ? next : to;
    parts.push({ days: daysIn({ from: begin, to: end }), ofDays: (next.getTime() - first) / DAY_MS });
    begin = end;
  }
  return parts;
}
