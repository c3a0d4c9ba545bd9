/**
 * UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then a counter of 12 bits and 62 random bits.
 * Ids made by one process in the same millisecond increase (method 1 of section 6.2), so that an index grows at
 * its right edge and a page of `ORDER BY id` is a page of time.
 */
import { randomFillSync } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const COUNTER_MAX = 0xfff;
const POOL_BYTES = 16 * 256;

const pool = Buffer.allocUnsafe(POOL_BYTES);
let poolOffset = POOL_BYTES;
let lastMs = 0;
let counter = 0;

function takeRandom(): number {
  if (poolOffset + 16 > POOL_BYTES) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const at = poolOffset;
  poolOffset += 16;
  return at;
}

function format(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A new UUIDv7; `nowMs` is Unix milliseconds. A clock that steps back keeps the last millisecond. */
export function uuidv7(nowMs: number = Date.now()): string {
  const at = takeRandom();
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = pool.readUInt16BE(at) & 0x7ff; // the upper half stays free for the counter
  } else if (counter < COUNTER_MAX) {
    counter += 1;
  } else {
    lastMs += 1;
    counter = 0;
  }
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  pool.copy(bytes, 8, at + 8, at + 16);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return format(bytes);
}

/** A new id for a row. */
export const newId = (): string => uuidv7();

/** The smallest UUIDv7 of a millisecond: the lower bound of a month's partition. */
export function uuidv7LowerBound(ms: number): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(ms, 0, 6);
  return format(bytes);
}

/** Unix milliseconds held in a UUIDv7. */
export function uuidv7Time(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** True for the canonical text of an RFC 9562 UUID of any version. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}
