/** Points of a series, and what they come to together. */
import { ActivityCell, type ActivityFigures, activityFigures } from '#libs/usage';

export interface Point extends ActivityFigures {
  readonly period_start: string;
}

export interface Series {
  readonly totals: ActivityFigures;
  readonly series: Point[];
}

/** Of cells by the start of their period in milliseconds, oldest first. */
export function seriesOf(cells: Iterable<readonly [start: number, cell: ActivityCell]>, activity?: string): Series {
  const totals = new ActivityCell();
  const series: Point[] = [];
  for (const [start, cell] of cells) {
    totals.absorb(cell);
    series.push({ period_start: new Date(start).toISOString(), ...activityFigures(cell, activity) });
  }
  return { totals: activityFigures(totals, activity), series };
}

export function sumOf(cells: Iterable<ActivityCell>): ActivityCell {
  const sum = new ActivityCell();
  for (const cell of cells) sum.absorb(cell);
  return sum;
}
