/**
 * The periods of a range, with and without anything in them. The API leaves out periods in which nothing happened; a chart
 * that does so too would draw a line through a silent night. The one that is still running is as wide as it is old.
 */
import type { Period, Point } from '../api/views';

export const WIDTH_SECONDS = { minute: 60, hour: 3_600, day: 86_400 } as const;
/** A period younger than this says nothing yet about its rate. */
const TOO_YOUNG_SECONDS = 15;

export interface Slot {
  /** Seconds since 1970, UTC. */
  readonly start: number;
  /** How much of it has passed. */
  readonly seconds: number;
  readonly point: Point | undefined;
}

const secondsOf = (time: string): number => Date.parse(time) / 1000;

/** Oldest first. */
export function slotsOf({ from, to, granularity }: Period, series: readonly Point[]): Slot[] {
  const width = WIDTH_SECONDS[granularity];
  const points = new Map(series.map((point) => [secondsOf(point.period_start), point]));
  const end = secondsOf(to);
  const slots: Slot[] = [];
  for (let start = Math.floor(secondsOf(from) / width) * width; start < end; start += width) {
    const seconds = Math.min(width, end - start);
    if (seconds >= TOO_YOUNG_SECONDS) slots.push({ start, seconds, point: points.get(start) });
  }
  return slots;
}
