/** Periods of usage: from an hour on, up to but without another. */
import { StockyardError } from '#libs/kernel';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const LONGEST_DAYS = 400;

export interface UsagePeriod {
  readonly from: Date;
  readonly to: Date;
}

function invalid(param: 'from' | 'to', message: string): StockyardError {
  return new StockyardError({ code: 'invalid_period', category: 'invalid', param, message });
}

/**
 * The period that a caller means: up to `now`, and from 30 days before its end on, where it does not say. Throws
 * `invalid_period` (400) for one that ends before it begins or is longer than 400 days.
 */
export function usagePeriod(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: Date = new Date(),
): UsagePeriod {
  const end = to === undefined ? now : new Date(to);
  const begin = from === undefined ? new Date(end.getTime() - DEFAULT_DAYS * DAY_MS) : new Date(from);
  if (begin >= end) throw invalid('to', 'A period ends after it begins; send a later `to`.');
  if (end.getTime() - begin.getTime() > LONGEST_DAYS * DAY_MS) {
    throw invalid('from', `A period is at most ${LONGEST_DAYS} days long; send a later \`from\`.`);
  }
  return { from: begin, to: end };
}
