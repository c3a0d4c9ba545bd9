/** Builds a page of a list that was read with one row more than asked for. */
import { encodeCursor } from '#libs/kernel';

export interface Page<T> {
  readonly data: T[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

/** `rows` holds up to limit + 1 rows in list order; `key` gives the sort key of a row. */
export function page<T>(rows: readonly T[], limit: number, key: (row: T) => readonly string[]): Page<T> {
  const data = rows.slice(0, limit);
  const last = data[data.length - 1];
  const hasMore = rows.length > limit && last !== undefined;
  return { data, has_more: hasMore, next_cursor: hasMore ? encodeCursor(key(last)) : null };
}
