/**
 * The bytes of a cached value: a letter for the form, then its JSON, plain or compressed by Zstandard; no byte at all stands
 * for "there is none".
 */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import type { Shape } from '#libs/kernel';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const PLAIN = Buffer.from('j');
const COMPRESSED = Buffer.from('z');
/** Of JSON. A value with more is not kept. */
export const MAX_VALUE_BYTES = 8 * 1_024 * 1_024;

export interface Decoded<T> {
  readonly value: T | undefined;
  /** Of its JSON. */
  readonly bytes: number;
}

/** The JSON of a value, undefined for "there is none". */
export function toText(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** Undefined for a value that is too large to be kept. */
export async function encode(text: string | undefined, compressAboveBytes: number): Promise<Buffer | undefined> {
  if (text === undefined) return Buffer.alloc(0);
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_VALUE_BYTES) return undefined;
  if (bytes.length <= compressAboveBytes) return Buffer.concat([PLAIN, bytes]);
  return Buffer.concat([COMPRESSED, await compress(bytes)]);
}

/** Undefined for bytes that are no value of this release. `start`: where they begin. At once where they are not compressed. */
export function decode<T>(
  payload: Buffer,
  start: number,
  shape?: Shape<T>,
): Decoded<T> | undefined | Promise<Decoded<T> | undefined> {
  if (payload.length === start) return { value: undefined, bytes: 0 };
  if (payload[start] === PLAIN[0]) return parse(payload.toString('utf8', start + 1), shape);
  const unpacked = decompress(payload.subarray(start + 1), { maxOutputLength: MAX_VALUE_BYTES });
  return unpacked.then(
    (bytes) => parse(bytes.toString(), shape),
    () => undefined,
  );
}

function parse<T>(text: string, shape?: Shape<T>): Decoded<T> | undefined {
  try {
    const value = JSON.parse(text) as T;
    return shape?.validate(value).issues ? undefined : { value, bytes: text.length };
  } catch {
    return undefined;
  }
}

/** Freezes a value that came out of JSON, with all that it holds: everybody is given the same one. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
