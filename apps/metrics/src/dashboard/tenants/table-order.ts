/** In which order the table stands, and where a page of it goes on: behind a value, whatever has changed since. */
import { decodeCursor, encodeCursor, isUuid } from '#libs/kernel';
import type { SORTS } from '../dashboard.shape';
import type { Row } from './table-row';

export type Sort = (typeof SORTS)[number];
type Key = number | string;

/** Names are compared by so many of their letters: a cursor has no room for more. */
const LETTERS = 60;
/** Less than any number that is known. */
const UNKNOWN = -1;

/** `cost`: of an organization, in millionths. */
export type CostOf = (organizationId: string) => number | null;

export class TableOrder {
  constructor(
    private readonly sort: Sort,
    private readonly cost: CostOf,
  ) {}

  sorted(rows: readonly Row[]): Row[] {
    const keyed = rows.map((row) => ({ row, key: this.keyOf(row) }));
    return keyed.sort((a, b) => this.compare(a.key, a.row.id, b.key, b.row.id)).map(({ row }) => row);
  }

  /** Of rows in order, those behind the row that the cursor was made of. Throws `invalid_cursor` (400). */
  behind(rows: readonly Row[], cursor: string): readonly Row[] {
    const isKey = (part: string) => this.sort === 'name' || Number.isFinite(Number(part));
    const [, text, id] = decodeCursor(cursor, [(sort) => sort === this.sort, isKey, isUuid]) as [
      string,
      string,
      string,
    ];
    const key = this.sort === 'name' ? text : Number(text);
    const first = rows.findIndex((row) => this.compare(this.keyOf(row), row.id, key, id) > 0);
    return first === -1 ? [] : rows.slice(first);
  }

  cursor(row: Row): string {
    return encodeCursor([this.sort, String(this.keyOf(row)), row.id]);
  }

  private keyOf({ id, name, figures }: Row): Key {
    switch (this.sort) {
      case 'name':
        return name.toLowerCase().slice(0, LETTERS);
      case 'cost':
        return this.cost(id) ?? UNKNOWN;
      case 'p95':
        return figures.p95_ms ?? UNKNOWN;
      case 'busy':
        return figures.busy_ms;
      default:
        return figures[this.sort];
    }
  }

  /** The largest first, names as in the alphabet; equal ones by id. */
  private compare(a: Key, aId: string, b: Key, bId: string): number {
    if (a !== b) return typeof a === 'string' || typeof b === 'string' ? (a < b ? -1 : 1) : b - a;
    return aId < bId ? -1 : Number(aId > bId);
  }
}
