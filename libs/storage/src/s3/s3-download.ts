/**
 * A file as a stream, fetched in windows of WINDOW_BYTES: no connection waits for a slow reader, a window that breaks off is
 * fetched again, and memory holds one. All windows are of one version of the object.
 */
import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ByteRange } from '../file-store';
import { isBeyondEnd, translate } from './s3.error';

const WINDOW_BYTES = 4 * 1_048_576;
/** Of a window whose headers came and whose body broke off; the client tries again only before. */
const ATTEMPTS = 3;

interface Window {
  readonly bytes: Uint8Array;
  readonly etag: string | undefined;
  /** Size of the whole object. */
  readonly size: number;
}

export interface DownloadOrder {
  readonly client: S3Client;
  readonly bucket: string;
  readonly path: string;
  readonly range?: ByteRange | undefined;
}

/** Rejects with `file_not_found`. Resolves with the first window there, so a range behind the end is an empty stream. */
export async function downloadObject(order: DownloadOrder): Promise<Readable> {
  const { start = 0, end = Infinity } = order.range ?? {};
  const first = await windowAt(order, start, end);
  return Readable.from(windows(order, first, { start, end }), { objectMode: false, highWaterMark: 1 });
}

async function* windows(
  order: DownloadOrder,
  first: Window | undefined,
  { start, end }: Required<ByteRange>,
): AsyncGenerator<Uint8Array> {
  let current = first;
  for (let at = start; current !== undefined;) {
    if (current.bytes.byteLength > 0) yield current.bytes;
    at += current.bytes.byteLength;
    if (at >= current.size || at > end) return;
    current = await windowAt(order, at, end, current.etag);
  }
}

/** undefined behind the end. */
async function windowAt(order: DownloadOrder, start: number, end: number, etag?: string): Promise<Window | undefined> {
  const last = Math.min(end, start + WINDOW_BYTES - 1);
  if (last < start) return undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchWindow(order, `bytes=${start}-${last}`, etag);
    } catch (error) {
      if (isBeyondEnd(error)) return undefined;
      if (!(error instanceof BrokenBodyError)) throw translate(error);
      if (attempt === ATTEMPTS) throw translate(error.cause);
    }
  }
}

class BrokenBodyError extends Error {}

async function fetchWindow({ client, bucket, path }: DownloadOrder, range: string, etag?: string): Promise<Window> {
  const answer = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: path, Range: range, ...(etag !== undefined && { IfMatch: etag }) }),
  );
  try {
    const bytes = await answer.Body!.transformToByteArray();
    const total = /\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1];
    return { bytes, etag: answer.ETag, size: total === undefined ? bytes.byteLength : Number(total) };
  } catch (error) {
    throw new BrokenBodyError('The body broke off.', { cause: error });
  }
}
