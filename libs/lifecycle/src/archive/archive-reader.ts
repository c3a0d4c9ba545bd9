/**
 * Walks through an archive and holds everything to its manifest: which entries in which order, lengths, digests, numbers of
 * rows. Streams, within the limits of archive-limits.ts; a visitor sees content before its digest is known, so whoever writes
 * walks twice.
 */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { StockyardError } from '#libs/kernel';
import { type Entry, extract } from 'tar-stream';
import { archiveDamaged, archiveIncompatible, archiveTooLarge } from './archive.error';
import { boundHeaders, MAX_LINE_BYTES, MAX_MANIFEST_BYTES } from './archive-limits';
import {
  ARCHIVE_FORMAT,
  ARCHIVE_VERSION,
  MANIFEST,
  MANIFEST_FILE,
  type Manifest,
  type ManifestFile,
  type ManifestTable,
} from './manifest';

export interface ArchiveVisitor {
  manifest?(manifest: Manifest): void;
  /** Reads all rows. */
  table?(table: ManifestTable, rows: AsyncIterable<string>): Promise<void>;
  /** Reads all bytes. */
  file?(file: ManifestFile, content: AsyncIterable<Buffer>): Promise<void>;
}

const NEWLINE = 10;

/** Throws `archive_damaged`, `archive_too_large` or `archive_incompatible` (422), or what the visitor throws. */
export async function walkArchive(source: Readable, visitor: ArchiveVisitor): Promise<Manifest> {
  const tar = extract();
  const unpacked = pipeline(source, createGunzip(), boundHeaders(tar), tar);
  unpacked.catch(() => undefined); // told by the iteration
  let manifest: Manifest | undefined;
  let expected: (ManifestTable | ManifestFile)[] = [];
  let at = MANIFEST_FILE;
  try {
    for await (const entry of tar) {
      if (manifest) {
        const next = expected.shift();
        at = next?.file ?? entry.header.name;
        if (!next || entry.header.name !== at) throw archiveDamaged(at, `stands where ${entry.header.name} does`);
        if (entry.header.size !== next.bytes) throw archiveDamaged(at, 'is not as long as the manifest says');
        await visit(entry, next, visitor);
      } else {
        manifest = await readManifest(entry);
        expected = [...manifest.tables, ...manifest.files];
        visitor.manifest?.(manifest);
      }
    }
    await unpacked;
  } catch (error) {
    if (isArchiveFault(error)) throw archiveDamaged(at, 'cannot be unpacked', error);
    throw error;
  } finally {
    source.destroy();
  }
  if (!manifest) throw archiveDamaged(MANIFEST_FILE, 'is missing');
  if (expected[0]) throw archiveDamaged(expected[0].file, 'is missing');
  return manifest;
}

/** The manifest of an archive whose rest has not been read; consumes no more of the source than it needs. */
export async function readManifestOf(source: Readable): Promise<Manifest> {
  const found = new Error('found');
  let manifest: Manifest | undefined;
  const stop = (first: Manifest): never => {
    manifest = first;
    throw found;
  };
  await walkArchive(source, { manifest: stop }).catch((error: unknown) => {
    if (error !== found) throw error;
  });
  return manifest!;
}

async function readManifest(entry: Entry): Promise<Manifest> {
  if (entry.header.name !== MANIFEST_FILE) throw archiveDamaged(MANIFEST_FILE, 'is not the first entry');
  if (!((entry.header.size ?? 0) <= MAX_MANIFEST_BYTES)) throw archiveTooLarge(MANIFEST_FILE, MAX_MANIFEST_BYTES);
  const chunks: Buffer[] = [];
  for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw archiveDamaged(MANIFEST_FILE, 'is not JSON', error);
  }
  const { format, version } = (parsed ?? {}) as Partial<Manifest>;
  if (format !== ARCHIVE_FORMAT) throw archiveIncompatible(`its format is not ${ARCHIVE_FORMAT}`);
  if (version !== ARCHIVE_VERSION) throw archiveIncompatible(`its version is not ${ARCHIVE_VERSION}`);
  const checked = MANIFEST.validate(parsed);
  if (checked.issues) throw archiveDamaged(MANIFEST_FILE, `is not complete (${checked.issues[0]!.message})`);
  return checked.value;
}

async function visit(entry: Entry, wanted: ManifestTable | ManifestFile, visitor: ArchiveVisitor): Promise<void> {
  const digest = createHash('sha256');
  let bytes = 0;
  async function* content(): AsyncGenerator<Buffer> {
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      digest.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  let rows = 0;
  async function* counted(): AsyncGenerator<string> {
    for await (const line of lines(content(), wanted.file)) {
      rows += 1;
      yield line;
    }
  }
  if ('key' in wanted) await (visitor.file ?? drain)(wanted, content());
  else await (visitor.table ?? drain)(wanted, counted());
  if (bytes !== wanted.bytes || digest.digest('hex') !== wanted.sha256)
    throw archiveDamaged(wanted.file, 'does not have the digest of the manifest');
  if ('rows' in wanted && rows !== wanted.rows)
    throw archiveDamaged(wanted.file, 'does not have as many rows as the manifest says');
}

async function drain(_: unknown, content: AsyncIterable<unknown>): Promise<void> {
  const iterator = content[Symbol.asyncIterator]();
  while (!(await iterator.next()).done);
}

/** Lines without their ends; a last one without an end counts. */
async function* lines(content: AsyncIterable<Buffer>, file: string): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let length = 0;
  const keep = (part: Buffer) => {
    length += part.length;
    if (length > MAX_LINE_BYTES) throw archiveTooLarge(`a line of ${file}`, MAX_LINE_BYTES);
    rest.push(part);
  };
  for await (const chunk of content) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield Buffer.concat(rest).toString('utf8');
      rest = [];
      length = 0;
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString('utf8');
}

/** Errors of zlib carry a Z_ code; those of tar have no code at all. */
function isArchiveFault(error: unknown): boolean {
  if (error instanceof StockyardError) return false;
  const { code, message = '' } = error as { code?: string; message?: string };
  return (
    code?.startsWith('Z_') === true ||
    /^(?:Invalid tar header|Unexpected end of data|Premature close|premature close)/.test(message)
  );
}
