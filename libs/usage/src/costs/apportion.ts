/**
 * Splits a whole number by weights into whole numbers that add up to it: everyone gets the floor of its part, and what is left
 * goes, one each, to the largest remainders (Hamilton's method), of equal ones to the first.
 */

/** The weights are at least 0 and not all of them are 0. */
export function apportion(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((whole, weight) => whole + weight, 0n);
  if (sum === 0n) throw new RangeError('Nothing can be split by weights of which none is above 0.');
  const parts = weights.map((weight) => (total * weight) / sum);
  const left = Number(total - parts.reduce((whole, part) => whole + part, 0n));
  weights
    .map((weight, index) => ({ index, remainder: (total * weight) % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1))
    .slice(0, left)
    .forEach(({ index }) => (parts[index]! += 1n));
  return parts;
}
