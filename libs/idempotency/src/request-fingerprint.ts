/** Fingerprint of a request: two requests under one key are the same when operation and body are. */
import { sha256Hex } from '#libs/kernel';

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, canonical(inner)]));
}

/** SHA-256, hex, over the operation's name and the body with sorted keys: the order of fields does not matter. */
export function requestFingerprint(operation: string, body: unknown): string {
  return sha256Hex(`${operation}\n${JSON.stringify(canonical(body) ?? null)}`);
}
