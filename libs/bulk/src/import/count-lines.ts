/** Counts the lines of a stream as it passes. */

export interface LineCounter extends AsyncIterable<Uint8Array> {
  /** Lines that have passed; a last one without a line break counts. */
  readonly count: number;
}

const LF = 0x0a;

export function countLines(content: AsyncIterable<Uint8Array>): LineCounter {
  let breaks = 0;
  let open = false;
  return {
    get count() {
      return breaks + (open ? 1 : 0);
    },
    async *[Symbol.asyncIterator]() {
      for await (const chunk of content) {
        for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) breaks += 1;
        if (chunk.length > 0) open = chunk[chunk.length - 1] !== LF;
        yield chunk;
      }
    },
  };
}
