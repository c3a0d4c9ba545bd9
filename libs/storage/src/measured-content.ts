/** Measures a stream as it passes: its size, its digest, and whether it is longer than it may be. */
import { createHash } from 'node:crypto';
import { fileTooLarge } from './file.error';
import type { StoredFile } from './file-store';

export interface MeasuredContent extends AsyncIterable<Uint8Array> {
  /** What has passed; to be asked once, at the end. */
  measure(): StoredFile;
}

/** Throws `file_too_large` (413) in place of the first chunk that goes beyond `maxBytes`. */
export function measured(content: AsyncIterable<Uint8Array>, maxBytes: number): MeasuredContent {
  const digest = createHash('sha256');
  let bytes = 0;
  return {
    measure: () => ({ bytes, sha256: digest.digest('hex') }),
    async *[Symbol.asyncIterator]() {
      for await (const chunk of content) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) throw fileTooLarge(maxBytes);
        digest.update(chunk);
        yield chunk;
      }
    },
  };
}
