/** The time that a view looks at: the unit at hand, and as many before it as its range has. */
import { beginOf, partsUntilNow, type TimePart, UNIT_MS } from '#libs/usage';
import { type RangeName, RANGES } from './dashboard.shape';

const HOUR_MS = 3_600_000;

export interface ViewPeriod {
  /** The units of its points. */
  readonly points: TimePart;
  /** The same time, of which each part is read where it takes the fewest rows. */
  readonly parts: readonly TimePart[];
  readonly shown: {
    readonly range: RangeName;
    readonly from: string;
    readonly to: string;
    readonly granularity: (typeof RANGES)[RangeName]['granularity'];
  };
}

export function viewPeriod(range: RangeName, now: number): ViewPeriod {
  const { hours, granularity } = RANGES[range];
  const width = UNIT_MS[granularity];
  const last = beginOf(granularity, now);
  const from = last + width - hours * HOUR_MS;
  return {
    points: { unit: granularity, from, to: last + width },
    parts: partsUntilNow(granularity, from, now),
    shown: { range, from: new Date(from).toISOString(), to: new Date(now).toISOString(), granularity },
  };
}
