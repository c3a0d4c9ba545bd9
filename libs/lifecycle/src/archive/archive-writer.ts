/** Packs files into a gzipped tar, one after another, with as much memory for a large tenant as for a small one. */
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';

export interface ArchiveEntry {
  readonly name: string;
  readonly bytes: number;
  open(): Promise<Readable>;
}

/** The archive as a stream; it fails where an entry cannot be read or is not as long as it says. */
export function writeArchive(entries: Iterable<ArchiveEntry>, writtenAt: Date): Readable {
  const tar = pack();
  const zipped = createGzip();
  const compressed = pipeline(tar, zipped);
  compressed.catch(() => undefined); // the reader of `zipped` is told
  const fill = async () => {
    for (const { name, bytes, open } of entries) {
      const entry = tar.entry({ name, size: bytes, mode: 0o600, mtime: writtenAt });
      await pipeline(await open(), entry);
    }
    tar.finalize();
  };
  fill().catch((error: unknown) => zipped.destroy(error as Error));
  return zipped;
}
