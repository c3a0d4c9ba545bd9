/** Scarcity: the share of what the file needs that is there at the beginning. Kept exact, in millionths. */

export interface Scarcity {
  readonly millionths: number;
}

const DECIMAL = /^(\d{1,4})(?:\.(\d{1,6}))?$/;
const MILLION = 1_000_000;
const MAXIMUM = 1_000;

/** `0.7` → 700,000 millionths; undefined for anything but a decimal from 0 to 1000 with up to six fraction digits. */
export function parseScarcity(text: string): Scarcity | undefined {
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const millionths = Number(match[1]) * MILLION + Number((match[2] ?? '').padEnd(6, '0'));
  return millionths <= MAXIMUM * MILLION ? { millionths } : undefined;
}

/** Opening stock of a SKU of which `outflow` units leave in the file: outflow × scarcity, rounded down. */
export function openingStock(outflow: number, scarcity: Scarcity): number {
  return Number((BigInt(outflow) * BigInt(scarcity.millionths)) / BigInt(MILLION));
}
