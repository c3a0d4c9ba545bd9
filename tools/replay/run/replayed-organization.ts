/** One organization of the replay: a country of the file, its account on the platform and its fold. */
import type { OrganizationFold } from '../model/fold';

export interface ReplayedOrganization {
  readonly country: string;
  readonly slug: string;
  readonly id: string;
  /** API key of its owner. */
  readonly key: string;
  readonly fold: OrganizationFold;
}

const MAX_SLUG_TAIL = 40;

/** `replay-<run>-united-kingdom`; names that come out equal are told apart by their position in the file. */
export function slugOf(run: string, country: string, taken: ReadonlySet<string>): string {
  const words = country
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g) ?? ['country'];
  const slug = `replay-${run}-${words.join('-').slice(0, MAX_SLUG_TAIL).replace(/-$/, '')}`;
  return taken.has(slug) ? `${slug}-${taken.size + 1}` : slug;
}

/** Runs `work` over the items, at most `width` at a time. After a failure nothing new starts; rejects when all is quiet. */
export async function inParallel<T>(
  width: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && failures.length === 0; next = iterator.next()) {
      await work(next.value).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  if (failures.length > 0) throw failures[0];
}
