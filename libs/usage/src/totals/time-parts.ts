/** Times in the units of the tables, and a stretch of time as parts of which each is read where it takes the fewest rows. */
import type { Granularity } from '../activity/activity.repository';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const UNIT_MS: Readonly<Record<Granularity, number>> = { minute: MINUTE_MS, hour: HOUR_MS, day: 24 * HOUR_MS };

const COARSER: Readonly<Record<Granularity, Granularity | undefined>> = {
  minute: 'hour',
  hour: 'day',
  day: undefined,
};

/** The units that begin in [from, to), in milliseconds of Unix time. */
export interface TimePart {
  readonly unit: Granularity;
  readonly from: number;
  readonly to: number;
}

/** When the unit began that `ms` lies in. In UTC, as in the tables. */
export function beginOf(unit: Granularity, ms: number): number {
  return Math.floor(ms / UNIT_MS[unit]) * UNIT_MS[unit];
}

/**
 * From the start of a unit on, up to now: units until a coarser one begins, and coarser ones from there on. What has just begun
 * counts whole, as nothing of it is later than now.
 */
export function partsUntilNow(unit: Granularity, from: number, now: number): TimePart[] {
  const coarser = COARSER[unit];
  const end = beginOf(unit, now) + UNIT_MS[unit];
  const boundary = coarser === undefined ? end : Math.ceil(from / UNIT_MS[coarser]) * UNIT_MS[coarser];
  const parts: TimePart[] = [
    { unit, from, to: Math.min(boundary, end) },
    ...(coarser === undefined || boundary > now
      ? []
      : [{ unit: coarser, from: boundary, to: beginOf(coarser, now) + UNIT_MS[coarser] }]),
  ];
  return parts.filter((part) => part.from < part.to);
}
