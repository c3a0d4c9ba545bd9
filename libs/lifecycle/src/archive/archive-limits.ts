/**
 * What an archive may ask of the memory of whoever reads it: gzip makes a thousand bytes of one, so the length of an upload
 * bounds nothing. An export that could not be read back by them fails instead.
 */
import type { Extract } from 'tar-stream';
import { archiveTooLarge } from './archive.error';

/** One row. The largest body that the api takes by default becomes a line of some 2 MiB. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** The manifest, which names every file: enough for some 50,000 of them. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
/** What stands between the contents of two entries, and after the last: headers, long names, padding. */
export const MAX_HEADER_BYTES = 1024 * 1024;

const BLOCK = 512;

/**
 * Passes on what `tar` is to read. The reader keeps an extended header in memory until it is whole, however long it says to be;
 * so what comes without an entry that accounts for it is bounded. Throws `archive_too_large` (422).
 */
export function boundHeaders(tar: Extract): (unpacked: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  let accounted = 0;
  tar.on('entry', ({ size = 0 }, entry) => {
    const { offset } = entry as unknown as { offset: number }; // of its header, and in no type
    accounted = offset + BLOCK + size;
  });
  return async function* (unpacked) {
    let passed = 0;
    for await (const chunk of unpacked) {
      if (passed - accounted > MAX_HEADER_BYTES) throw archiveTooLarge('headers of the archive', MAX_HEADER_BYTES);
      passed += chunk.length;
      yield chunk;
    }
  };
}
