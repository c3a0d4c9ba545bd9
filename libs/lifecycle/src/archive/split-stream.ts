/** Looks into the beginning of a stream and then passes all of it on, keeping only what was looked at. */
import { Readable } from 'node:stream';

export interface SplitStream {
  /** The beginning, as far as the reader goes. Once. */
  head(): Readable;
  /** Everything from the first byte on, after the reader of the head has ended. Once. */
  whole(): AsyncIterable<Uint8Array>;
}

export function splitStream(content: AsyncIterable<Uint8Array>): SplitStream {
  const source = content[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  async function* watched(): AsyncGenerator<Uint8Array> {
    for (let next = await source.next(); !next.done; next = await source.next()) {
      seen.push(next.value);
      yield next.value;
    }
  }
  const beginning = watched();
  return {
    head: () => Readable.from(beginning, { objectMode: false, highWaterMark: 1 }),
    async *whole() {
      try {
        await beginning.return(undefined); // a read that is still under way ends first, and counts as seen
        yield* seen.splice(0);
        for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
      } finally {
        await source.return?.();
      }
    },
  };
}
