/** Tags and priorities from what tag.lua says of a class's clock: the same rules as next_tag and priority_of in clock.lua. */

/** How far ahead of virtual time a tag may be, in units. */
export const HORIZON = 2 ** 19;
/** BullMQ's highest priority. */
const HIGHEST = 2 ** 21 - 1;

export interface Arrival {
  readonly organizationId: string;
  /** Of the job: cost ÷ weight, in units. */
  readonly length: number;
}

export interface Tag {
  /** Absolute; the job carries it in its data as `tag`. */
  readonly tag: number;
  /** What it is in BullMQ, 2 to 2²¹ - 1. */
  readonly priority: number;
}

/** Equal jobs of one tenant, next to each other among its own. */
export interface Run extends Arrival {
  /** Places of the jobs among all arrivals. */
  readonly places: readonly number[];
}

export function runsOf(arrivals: readonly Arrival[]): Run[] {
  const runs: (Arrival & { readonly places: number[] })[] = [];
  const newest = new Map<string, (typeof runs)[number]>();
  for (const [place, { organizationId, length }] of arrivals.entries()) {
    const run = newest.get(organizationId);
    if (run?.length === length) run.places.push(place);
    else {
      const begun = { organizationId, length, places: [place] };
      newest.set(organizationId, begun);
      runs.push(begun);
    }
  }
  return runs;
}

/** One tag for each arrival. `reply`: now, base, shift, the priority that a move has come to, and each run's finish before it. */
export function tagsOf(runs: readonly Run[], reply: readonly string[]): Tag[] {
  const [now = 0, base = 0, shift = 0, moved = 0, ...finishes] = reply.map(Number);
  const tags: Tag[] = [];
  for (const [index, { length, places }] of runs.entries()) {
    let finish = finishes[index]!;
    for (const place of places) {
      const tag = Math.min(Math.max(now, finish), now + HORIZON);
      finish = Math.min(tag + length, now + HORIZON);
      const unmoved = Math.floor(tag) - base + 2;
      const priority = shift > 0 && unmoved < moved ? unmoved - shift : unmoved;
      tags[place] = { tag, priority: Math.max(2, Math.min(priority, HIGHEST)) };
    }
  }
  return tags;
}
