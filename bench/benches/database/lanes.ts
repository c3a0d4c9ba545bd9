/** Each lane with work that is typical of it, on both sides. */
import type { Comparison, Contestant, Measure } from '../../harness/bench';
import type { Lanes, Several, Sides, Some } from './sides';
import { someInsert, somePage, somePoint } from './work';

const BATCH = 4;

const times =
  (count: number, some: Some): Several =>
  () =>
    Array.from({ length: count }, some);

const LANES = {
  statement_read: (side: Lanes) => side.statement(somePoint),
  statement_page: (side: Lanes) => side.statement(somePage),
  statement_write: (side: Lanes) => side.statement(someInsert),
  batch_read: (side: Lanes) => side.batch(times(BATCH, somePoint)),
  batch_write: (side: Lanes) => side.batch(times(BATCH, someInsert)),
  interactive_read: (side: Lanes) => side.read(times(2, somePoint)),
  interactive_write: (side: Lanes) => side.write(() => [somePoint(), someInsert()]),
} satisfies Readonly<Record<string, (side: Lanes) => Contestant>>;

export type LaneName = keyof typeof LANES;
export const LANE_NAMES = Object.keys(LANES) as readonly LaneName[];

/** `setting` begins the names. */
export function compareLanes(
  setting: string,
  { gateway, raw }: Sides,
  { lanes = LANE_NAMES, measures = 'rate' }: { readonly lanes?: readonly LaneName[]; readonly measures?: Measure } = {},
): Comparison[] {
  return lanes.map((name) => {
    return {
      name: `${setting}_${name}`,
      measures,
      subject: LANES[name](gateway.lanes),
      reference: LANES[name](raw.lanes),
    };
  });
}

/** A batch against the same transaction of node-postgres in one go. */
export function comparePipelined(setting: string, { gateway, raw }: Sides, measures: Measure): Comparison[] {
  const works = { batch_read: times(BATCH, somePoint), batch_write: times(BATCH, someInsert) };
  return Object.entries(works).map(([name, work]) => {
    return {
      name: `${setting}_${name}_pipelined`,
      measures,
      subject: gateway.lanes.batch(work),
      reference: raw.pipelined(work),
    };
  });
}
