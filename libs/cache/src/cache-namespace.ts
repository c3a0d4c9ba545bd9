/** Namespaces: what kind of value is cached, for how long, what it hangs on, and how to know one of another release. */
import type { Shape } from '#libs/kernel';

export interface CacheNamespaceOptions<T> {
  /** Lower case, such as `catalog.product`; part of the Redis key. Change it when the meaning of the value changes. */
  readonly name: string;
  /** Longest life of a value in Redis; each gets up to a tenth less, so that they do not all end at once. */
  readonly ttlMs: number;
  /** For how long after that the old value is served while one caller loads the new one. Default: 0, nobody is served it. */
  readonly staleMs?: number;
  /** Life of the answer "there is none", which is never served stale. Default: 5 seconds, or `ttlMs` when that is less. */
  readonly negativeTtlMs?: number;
  /** Life in this process, the longest time a lost hint is noticed late. Default: 1 second, or `ttlMs` when less. */
  readonly nearTtlMs?: number;
  /** Values whose JSON has more bytes are compressed in Redis. Default: 4,096. */
  readonly compressAboveBytes?: number;
  /**
   * What the value of a key hangs on besides its key and namespace, at most 16, such as `product:<id>`. Tags belong to the
   * tenant: one of them invalidates in all namespaces. The same key always has the same tags. Default: none.
   */
  readonly tags?: (key: string) => readonly string[];
  /** Checked on values that come from Redis; one of another shape counts as a miss. */
  readonly shape?: Shape<T>;
}

/** A namespace with all its settings. Its type is that of its values, which must survive JSON. */
export type CacheNamespace<T> = Required<Omit<CacheNamespaceOptions<T>, 'shape'>> & { readonly shape?: Shape<T> };

/** What the versions that entries hang on must outlive. */
export const LONGEST_LIFE_MS = 24 * 3_600_000;

const NAME = /^[a-z][a-z0-9._-]{0,63}$/;
const NEGATIVE_TTL_MS = 5_000;
const NEAR_TTL_MS = 1_000;
const COMPRESS_ABOVE_BYTES = 4_096;
const NO_TAGS = Object.freeze([]);

/** Throws for a name or a life that makes no sense: a mistake of the programmer, found when the module loads. */
export function defineNamespace<T>(options: CacheNamespaceOptions<T>): CacheNamespace<T> {
  const { name, ttlMs, staleMs = 0 } = options;
  if (!NAME.test(name)) throw new Error(`"${name}" is no name of a cache namespace.`);
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1)
    throw new Error(`The cache namespace ${name} needs a ttlMs of at least 1.`);
  if (!Number.isSafeInteger(staleMs) || staleMs < 0)
    throw new Error(`The cache namespace ${name} needs a staleMs of at least 0.`);
  if (ttlMs + staleMs > LONGEST_LIFE_MS)
    throw new Error(`The cache namespace ${name} keeps values for more than a day: lower ttlMs or staleMs.`);
  return Object.freeze({
    staleMs,
    negativeTtlMs: Math.min(ttlMs, NEGATIVE_TTL_MS),
    nearTtlMs: Math.min(ttlMs, NEAR_TTL_MS),
    compressAboveBytes: COMPRESS_ABOVE_BYTES,
    tags: () => NO_TAGS,
    ...options,
  });
}
