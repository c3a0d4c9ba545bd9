/** A row of the table, and whether it is looked for. */
import type { ActivityFigures } from '#libs/usage';
import type { Resident } from './residents.repository';

export interface Row extends Resident {
  readonly figures: ActivityFigures;
}

/** By a part of its name or slug, or by its id. */
export function matches({ id, name, slug }: Row, search: string | undefined): boolean {
  if (search === undefined) return true;
  const wanted = search.trim().toLowerCase();
  return name.toLowerCase().includes(wanted) || slug.includes(wanted) || id === wanted;
}
