/** Reads a body up to so many bytes, as they are after decompression: what unpacks to more is cut off while it does. */
import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { OutboundError } from './outbound.error';

/** Encodings that a request offers to take. */
export const ACCEPTED_ENCODINGS = 'gzip, identity';

/** Each is a way to the thread pool and back. */
const CHUNK_BYTES = 65_536;

const tooLarge = (maxBytes: number) => new OutboundError('too_large', `The answer has more than ${maxBytes} bytes.`);

/** Rejects as the stream does, and with `outbound_too_large`; the stream is destroyed then. */
export async function boundedBody(message: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = (message.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') {
    // Of a compressed body the length says nothing.
    if (Number(message.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
    return collected(message, maxBytes);
  }
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new OutboundError(
      'unreadable',
      `The answer is encoded as "${encoding.slice(0, 40)}", which was not asked for.`,
    );
  }
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
  pipeline(message, unpacked, () => undefined); // whichever of both ends, the other does; the error comes out below
  try {
    return await collected(unpacked, maxBytes);
  } catch (error) {
    if (isZlib(error)) throw new OutboundError('unreadable', 'The answer is not gzip as it says.', { cause: error });
    throw error;
  }
}

async function collected(source: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes); // leaving the loop destroys the stream
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function isZlib(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && /^Z_/.test(String(error.code));
}
