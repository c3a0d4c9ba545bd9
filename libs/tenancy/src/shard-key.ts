/**
 * The logical bucket of an organization: the first four bytes of MD5 over its canonical id, as an unsigned
 * big-endian number, modulo 1,024. MD5 serves as a spread, not as a secret; PostgreSQL computes the same with
 * `calculate_shard_key(uuid)`, and a test holds both against each other.
 */
import { createHash } from 'node:crypto';

export const SHARD_BUCKETS = 1024;

export function shardKeyOf(organizationId: string): number {
  return createHash('md5').update(organizationId.toLowerCase()).digest().readUInt32BE(0) % SHARD_BUCKETS;
}
