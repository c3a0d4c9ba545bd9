/** A day as customers have it: the hourly profile of a retailer, between its hours along a straight line. */

export interface HourlyProfile {
  readonly origin: Readonly<Record<string, string>>;
  /** Share of the busiest hour, for each hour of an average day. */
  readonly hours: readonly number[];
}

export const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3_600;

/** Share of the peak: an hour's own value stands in its middle. */
export function shareOfPeak({ hours }: HourlyProfile, at: number): number {
  const position = (((at / HOUR_SECONDS - 0.5) % hours.length) + hours.length) % hours.length;
  const hour = Math.floor(position);
  const [from, to] = [hours[hour]!, hours[(hour + 1) % hours.length]!];
  return from + (to - from) * (position - hour);
}
