/**
 * How values of the database become JavaScript. bigint and numeric sums come as numbers when they are safe
 * integers (the API bounds quantities and amounts to that range) and throw otherwise, instead of losing digits.
 */
import { TypeOverrides, types } from 'pg';

const INT8 = 20;
const NUMERIC = 1700;

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} does not fit a JavaScript integer.`);
  return value;
}

/** numeric appears only as the sum of bigints. */
export const DATABASE_TYPES = new TypeOverrides(types);
DATABASE_TYPES.setTypeParser(INT8, safeInteger);
DATABASE_TYPES.setTypeParser(NUMERIC, safeInteger);
