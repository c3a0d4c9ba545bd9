/** Names of the cache's Redis keys. All of a tenant share its hash tag, so that one script may touch them. */
import { redisKey } from '#libs/redis';

export interface CacheGroup {
  readonly organizationId: string;
  /** Name of a namespace, or null for a tag. */
  readonly namespace: string | null;
  /** Null for a namespace as a whole. */
  readonly tag: string | null;
}

export interface EntryAddress {
  readonly organizationId: string;
  readonly namespace: string;
  readonly key: string;
  readonly tags: readonly string[];
  /** All but the tags, as one text. */
  readonly id: string;
}

export function entryAddress(
  organizationId: string,
  namespace: string,
  key: string,
  tags: readonly string[] = [],
): EntryAddress {
  return { organizationId, namespace, key, tags, id: `${organizationId}:${namespace}:${key}` };
}

/** The index of a tenant's entries, for its budget. */
export interface IndexKeys {
  /** Sorted set: entry → Unix time in milliseconds at which it ends. */
  readonly ends: string;
  /** Hash: entry → bytes, and `total`. */
  readonly sizes: string;
}

export function versionKey(prefix: string, { organizationId, namespace, tag }: CacheGroup): string {
  return tag === null
    ? redisKey(prefix, 'cache', organizationId, 'version', namespace!)
    : redisKey(prefix, 'cache', organizationId, 'tag', tag);
}

export function indexKeys(prefix: string, organizationId: string): IndexKeys {
  return {
    ends: redisKey(prefix, 'cache', organizationId, 'ends'),
    sizes: redisKey(prefix, 'cache', organizationId, 'sizes'),
  };
}

/** The keys of one entry. What a hit needs is made at once, the rest where it is asked for. */
export class EntryKeys {
  /** String: the entry, see lead.lua. */
  readonly entry: string;
  /** Strings: the versions that the entry hangs on, of its namespace first. */
  readonly versions: readonly string[];
  /** The entry's name within the tenant's index; behind `entryPrefix` it makes the entry's key. */
  readonly member: string;
  readonly entryPrefix: string;

  constructor(
    private readonly prefix: string,
    private readonly address: EntryAddress,
  ) {
    const { organizationId, namespace, key, tags } = address;
    const area = `${prefix}:cache:{${organizationId}}:`;
    this.entryPrefix = `${area}entry:`;
    this.member = `${namespace}:${key}`;
    this.entry = this.entryPrefix + this.member;
    const versions = [`${area}version:${namespace}`];
    for (const tag of tags) versions.push(`${area}tag:${tag}`);
    this.versions = versions;
  }

  /** String: name of the load that is under way. */
  get lease(): string {
    return redisKey(this.prefix, 'cache', this.address.organizationId, 'lease', this.member);
  }

  get index(): IndexKeys {
    return indexKeys(this.prefix, this.address.organizationId);
  }
}
