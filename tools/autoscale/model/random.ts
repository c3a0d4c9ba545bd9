/** Random numbers of a seed, and what is drawn with them. */
export { randomNumbers } from '../../../bench/benches/neighbour/requests';

export type Random = () => number;

export const exponential = (random: Random, mean: number): number => -Math.log(1 - random()) * mean;

/** Of a distribution that is given by values at evenly spaced quantiles, from 0 to 1. */
export function fromQuantiles(values: readonly number[], random: Random): number {
  const rank = random() * (values.length - 1);
  const below = Math.floor(rank);
  return values[below]! + (values[below + 1]! - values[below]!) * (rank - below);
}
