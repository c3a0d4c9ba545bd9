/** Periods of usage: from a time on, up to but without another. */
import type { Granularity } from './activity/activity.repository';
import { checkPeriod } from './period-check';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const LONGEST_DAYS = 400;

/** Days of a series: by default, and at most. */
const SERIES: Readonly<Record<Granularity, { readonly usual: number; readonly longest: number }>> = {
  minute: { usual: 1 / 24, longest: 1 },
  hour: { usual: 1, longest: 31 },
  day: { usual: DEFAULT_DAYS, longest: LONGEST_DAYS },
};

interface Asked {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface UsagePeriod {
  readonly from: Date;
  readonly to: Date;
}

/**
 * The period that a caller means: up to `now`, and from 30 days before its end on, where it does not say. Throws
 * `invalid_period` (400) for one that ends before it begins or is longer than 400 days.
 */
export function usagePeriod(asked: Asked, now: Date = new Date()): UsagePeriod {
  return period(asked, now, { usual: DEFAULT_DAYS, longest: LONGEST_DAYS });
}

/** The same for a series: an hour of minutes and a day at most, a day of hours and 31 at most, 30 days and 400 at most. */
export function seriesPeriod(granularity: Granularity, asked: Asked, now: Date = new Date()): UsagePeriod {
  return period(asked, now, SERIES[granularity]);
}

function period(
  { from, to }: Asked,
  now: Date,
  { usual, longest }: { readonly usual: number; readonly longest: number },
): UsagePeriod {
  const end = to === undefined ? now : new Date(to);
  const begin = from === undefined ? new Date(end.getTime() - usual * DAY_MS) : new Date(from);
  checkPeriod(begin, end, longest);
  return { from: begin, to: end };
}
