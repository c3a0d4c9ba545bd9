/** Namespaces: what kind of value is cached, for how long, and how to know one of another release. */
import type { Shape } from '#libs/kernel';

export interface CacheNamespaceOptions<T> {
  /** Lower case, such as `catalog.product`; part of the Redis key. Change it when the meaning of the value changes. */
  readonly name: string;
  /** Longest life of a value in Redis; each gets up to a tenth less, so that they do not all end at once. */
  readonly ttlMs: number;
  /** Life of the answer "there is none". Default: 5 seconds, or `ttlMs` when that is less. */
  readonly negativeTtlMs?: number;
  /** Life in this process, the longest time a lost hint is noticed late. Default: 1 second, or `ttlMs` when less. */
  readonly nearTtlMs?: number;
  /** Checked on values that come from Redis; one of another shape counts as a miss. */
  readonly shape?: Shape<T>;
}

/** A namespace with all its settings. Its type is that of its values, which must survive JSON. */
export type CacheNamespace<T> = Required<Omit<CacheNamespaceOptions<T>, 'shape'>> & { readonly shape?: Shape<T> };

const NAME = /^[a-z][a-z0-9._-]{0,63}$/;
const NEGATIVE_TTL_MS = 5_000;
const NEAR_TTL_MS = 1_000;

/** Throws for a name or a life that makes no sense: a mistake of the programmer, found when the module loads. */
export function defineNamespace<T>(options: CacheNamespaceOptions<T>): CacheNamespace<T> {
  const { name, ttlMs } = options;
  if (!NAME.test(name)) throw new Error(`"${name}" is no name of a cache namespace.`);
  if (!Number.isSafeInteger(ttlMs) || ttlMs < 1)
    throw new Error(`The cache namespace ${name} needs a ttlMs of at least 1.`);
  return Object.freeze({
    negativeTtlMs: Math.min(ttlMs, NEGATIVE_TTL_MS),
    nearTtlMs: Math.min(ttlMs, NEAR_TTL_MS),
    ...options,
  });
}
