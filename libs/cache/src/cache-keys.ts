/** Names of the cache's Redis keys. Both of an entry share the hash tag of its tenant. */
import { redisKey } from '#libs/redis';

export interface EntryAddress {
  readonly organizationId: string;
  readonly namespace: string;
  readonly key: string;
}

export interface EntryKeys {
  /** Hash: `version` of the entry, and `namespace_version` and `payload` of its value when it has one. */
  readonly entry: string;
  /** String: version of the tenant's namespace. */
  readonly namespace: string;
}

export function namespaceKey(prefix: string, { organizationId, namespace }: Omit<EntryAddress, 'key'>): string {
  return redisKey(prefix, 'cache', organizationId, 'version', namespace);
}

export function entryKeys(prefix: string, address: EntryAddress): EntryKeys {
  const { organizationId, namespace, key } = address;
  return {
    entry: redisKey(prefix, 'cache', organizationId, 'entry', namespace, key),
    namespace: namespaceKey(prefix, address),
  };
}
