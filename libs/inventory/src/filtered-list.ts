/**
 * A list by key whose text has only the conditions that were asked for. One text for all (`product_id = coalesce($5, product_id)`)
 * makes Postgres expect next to no rows, read all that the organization has, and sort them, for each page.
 */
import { type Statement, tenantRead } from '#libs/database';

export interface FilteredList<Filter extends string> {
  /** Of the statement without filters; the others have the names of theirs behind it. */
  readonly name: string;
  /** Up to the conditions that always hold. */
  readonly text: string;
  /** By filter: its condition, with a question mark for its value. */
  readonly filters: Readonly<Record<Filter, string>>;
  /** Behind the conditions. */
  readonly order: string;
}

/** Takes the values of `text` and `order`, then those of the filters, null where there is none. */
export function filteredList<Filter extends string>({ name, text, filters, order }: FilteredList<Filter>) {
  const all = Object.keys(filters) as Filter[];
  const called = (present: readonly Filter[]): string => [name, ...present].join('_');
  // Those of the filters come after those that `text` and `order` have.
  const first = Math.max(...[...`${text} ${order}`.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number))) + 1;
  const built = new Map<string, ReturnType<typeof tenantRead>>();
  for (let set = 0; set < 2 ** all.length; set += 1) {
    const present = all.filter((_, index) => (set >> index) % 2 === 1);
    const conditions = present.map((filter, index) => `and ${filters[filter].replace('?', `$${first + index}`)}`);
    built.set(called(present), tenantRead(called(present), [text, ...conditions, order].join(' ')));
  }
  return (values: readonly unknown[], asked: Readonly<Record<Filter, unknown>>): Statement => {
    const present = all.filter((filter) => asked[filter] !== null);
    return built.get(called(present))!(...values, ...present.map((filter) => asked[filter]));
  };
}
