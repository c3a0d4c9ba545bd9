/** Digests and their comparison in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';

export function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

export function sha256Hex(data: string | Buffer): string {
  return sha256(data).toString('hex');
}

/** Equality of secrets: compares digests, so neither content nor length shows in the time it takes. */
export function constantTimeEqual(a: string | Buffer, b: string | Buffer): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}
