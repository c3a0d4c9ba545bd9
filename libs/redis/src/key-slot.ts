/** Which server of a Redis Cluster holds a key: by slot, as the Redis Cluster specification computes it. */
import { Cluster } from 'ioredis';
import type { RedisClient } from './redis-client';

const SLOTS = 16_384;
const POLYNOMIAL = 0x1021; // CRC-16/XMODEM

/** A key's hash tag is what stands between its first `{` and the next `}`, if that is anything; else the whole key. */
function hashed(key: string): string {
  const begin = key.indexOf('{');
  const end = begin === -1 ? -1 : key.indexOf('}', begin + 1);
  return end > begin + 1 ? key.slice(begin + 1, end) : key;
}

export function keySlot(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(hashed(key))) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
    crc &= 0xffff;
  }
  return crc % SLOTS;
}

/** What keys of one pipeline have in common: the servers that serve their slots. The same text where there is one. */
export function pipelineOfKey(client: RedisClient, key: string): string {
  return client instanceof Cluster ? (client.slots[keySlot(key)] ?? []).join() : '';
}

/** Address of the server that a key lives on; the same text for all keys where there is one server. */
export function serverOfKey(client: RedisClient, key: string): string {
  return client instanceof Cluster ? (client.slots[keySlot(key)]?.[0] ?? '') : '';
}
