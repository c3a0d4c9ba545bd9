/**
 * Money is a whole number of minor units (cents, pence) beside a currency code. In JavaScript it stays a `number`:
 * the API bounds amounts to 2^53 − 1, and arithmetic here refuses to leave that range instead of rounding.
 */
import { StockyardError } from './stockyard.error';

export class MoneyError extends StockyardError {
  constructor(message: string) {
    super({ code: 'amount_out_of_range', category: 'unprocessable', message });
  }
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new MoneyError('An amount exceeds 9007199254740991 minor units; split it.');
  return value;
}

export function addMinor(a: number, b: number): number {
  return safe(a + b);
}

/** unit price × quantity, both whole numbers. */
export function multiplyMinor(unitMinor: number, quantity: number): number {
  return safe(unitMinor * quantity);
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?$/;

/**
 * Decimal text to minor units without passing through binary fractions, rounded half up (away from zero for the
 * magnitude): `2.555` → 256, `-2.555` → -256, with two fraction digits by default. Throws on anything else.
 */
export function parseDecimalToMinor(text: string, fractionDigits = 2): number {
  const match = DECIMAL.exec(text.trim());
  if (!match || (!match[2] && !match[3])) throw new MoneyError(`"${text.slice(0, 40)}" is not a decimal amount.`);
  const fraction = (match[3] ?? '').padEnd(fractionDigits + 1, '0');
  const kept = Number((match[2] || '0') + fraction.slice(0, fractionDigits));
  const magnitude = safe(kept + (fraction.charCodeAt(fractionDigits) >= 53 ? 1 : 0));
  return match[1] === '-' && magnitude !== 0 ? -magnitude : magnitude;
}
