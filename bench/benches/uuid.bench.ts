/** Ids: the time-ordered ids of the kernel against the random ones of Node. Cheap enough to try the harness on. */
import { randomUUID } from 'node:crypto';
import { uuidv7 } from '#libs/kernel';
import type { Bench } from '../harness/bench';

/** Keeps the result of a loop from being optimised away. */
let sink = 0;

function repeat(make: () => string): (operations: number) => void {
  return (operations) => {
    for (let made = 0; made < operations; made += 1) sink += make().length;
  };
}

export const UUID_BENCH: Bench = {
  name: 'uuid',
  about: 'uuidv7() of the kernel against crypto.randomUUID(), one id an operation.',
  async *compare() {
    yield {
      name: 'id',
      subject: { name: 'uuidv7', run: repeat(uuidv7) },
      reference: { name: 'random', run: repeat(randomUUID) },
    };
    if (sink === 0) throw new Error('No id was made.');
  },
};
