/** One piece of work that is measured for two contestants at once: what it takes of one process, and of another. */
import type { Contestant } from '../../harness/bench';

export interface Sides {
  readonly subject: number;
  readonly reference: number;
}

/** Each run of `measure` is told once as the subject's figure and once as the reference's. */
export function both(
  names: { readonly subject: string; readonly reference: string },
  measure: () => Promise<Sides>,
): { readonly subject: Contestant; readonly reference: Contestant } {
  const untold = { subject: [] as number[], reference: [] as number[] };
  const contestant = (side: keyof Sides): Contestant => ({
    name: names[side],
    run: async () => {
      if (untold[side].length === 0) {
        const sides = await measure();
        untold.subject.push(sides.subject);
        untold.reference.push(sides.reference);
      }
      return untold[side].shift();
    },
  });
  return { subject: contestant('subject'), reference: contestant('reference') };
}
