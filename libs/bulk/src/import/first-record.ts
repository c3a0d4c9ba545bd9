/** Keeps the beginning of a stream as it passes, in which the header of an import must be. */
import { CsvReader, type CsvRecord } from '../csv/csv-reader';
import { MAX_LINE_BYTES } from '../csv/line-splitter';

export interface KeptBeginning extends AsyncIterable<Uint8Array> {
  /** The first record of what has passed; undefined where there is none. */
  firstRecord(): Promise<CsvRecord | undefined>;
}

export function keepBeginning(content: AsyncIterable<Uint8Array>): KeptBeginning {
  const kept: Uint8Array[] = [];
  let missing = MAX_LINE_BYTES + 1;
  return {
    async *[Symbol.asyncIterator]() {
      for await (const chunk of content) {
        if (missing > 0) {
          kept.push(Uint8Array.from(chunk.subarray(0, missing)));
          missing -= chunk.length;
        }
        yield chunk;
      }
    },
    async firstRecord() {
      const source = (async function* () {
        yield* kept;
      })();
      for await (const record of new CsvReader(source, { offset: 0, line: 0 }).records()) return record;
      return undefined;
    },
  };
}
