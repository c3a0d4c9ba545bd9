/** What every period that a caller may ask for has to be. */
import { StockyardError } from '#libs/kernel';

const DAY_MS = 86_400_000;

export function invalidPeriod(param: 'from' | 'to', message: string): StockyardError {
  return new StockyardError({ code: 'invalid_period', category: 'invalid', param, message });
}

/** Throws `invalid_period` (400) for one that ends before it begins or is longer than so many days. */
export function checkPeriod(from: Date, to: Date, longestDays: number): void {
  if (from >= to) throw invalidPeriod('to', 'A period ends after it begins; send a later `to`.');
  if (to.getTime() - from.getTime() <= longestDays * DAY_MS) return;
  const days = `${longestDays} day${longestDays > 1 ? 's' : ''}`;
  throw invalidPeriod('from', `A period is at most ${days} long; send a later \`from\`.`);
}
