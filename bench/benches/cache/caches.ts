/** The three caches behind one interface. */
import KeyvRedis from '@keyv/redis';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { redisDriver } from 'bentocache/drivers/redis';
import { createCache } from 'cache-manager';
import { Redis } from 'ioredis';
import { Keyv } from 'keyv';
import { defineNamespace } from '#libs/cache';
import { newId } from '#libs/kernel';
import { StandaloneCache } from '../../../libs/cache/test/standalone-cache';

const TTL_MS = 3_600_000;
const TAGS = ['products', 'prices'];

export const VALUE = {
  id: '01a20a23-388c-75b0-b6ac-b001f28ac061',
  sku: '85123A',
  name: 'WHITE HANGING HEART T-LIGHT HOLDER',
  description: 'A heart of metal, painted white, that holds one tea light and hangs from a ribbon.',
  state: 'active',
  price_minor: 255,
  currency: 'GBP',
  version: 3,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-02T00:00:00.000Z',
};

export type Load = () => Promise<typeof VALUE>;

export interface BenchCache {
  readonly name: string;
  get(key: string, load: Load): Promise<unknown>;
  /** Does the work as requests do theirs. */
  within<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface CacheOptions {
  readonly url: string;
  /** `far`: what is read does not stay in memory. */
  readonly levels: 'both' | 'far';
  /** Of the tenant, or part of every key. Default: a new one. */
  readonly scope?: string;
}

export async function openOwn({ url, levels, scope = newId() }: CacheOptions): Promise<BenchCache> {
  const own = new StandaloneCache({ url, prefix: 'bench' });
  await own.ready();
  const nearTtlMs = levels === 'far' ? 1 : TTL_MS;
  const namespace = defineNamespace<typeof VALUE>({
    name: 'bench.product',
    ttlMs: TTL_MS,
    nearTtlMs,
    tags: () => TAGS,
  });
  return {
    name: 'own',
    get: (key, load) => own.cache.get(namespace, key, load),
    within: (work) => own.as(scope, work),
    close: () => {
      own.redis.disconnect();
      return Promise.resolve();
    },
  };
}

export function openBento({ url, levels, scope = newId() }: CacheOptions): Promise<BenchCache> {
  const connection = new Redis(url);
  const far = redisDriver({ connection });
  const store =
    levels === 'far'
      ? bentostore().useL2Layer(far)
      : bentostore()
          .useL1Layer(memoryDriver({ maxItems: 20_000 }))
          .useL2Layer(far);
  const bento = new BentoCache({ default: 'one', stores: { one: store }, prefix: `bento:${scope}`, ttl: TTL_MS });
  return Promise.resolve({
    name: 'bentocache',
    get: (key, factory) => bento.getOrSet({ key, factory, tags: TAGS }),
    within: (work) => work(),
    close: async () => {
      await bento.disconnectAll();
      connection.disconnect();
    },
  });
}

export function openManager({ url, levels, scope = newId() }: CacheOptions): Promise<BenchCache> {
  const far = new Keyv({ store: new KeyvRedis(url), namespace: scope, useKeyPrefix: false });
  const stores = levels === 'far' ? [far] : [new Keyv(), far];
  const manager = createCache({ stores, ttl: TTL_MS });
  return Promise.resolve({
    name: 'cache_manager',
    get: (key, load) => manager.wrap(key, load),
    within: (work) => work(),
    close: async () => {
      await manager.disconnect();
    },
  });
}

export const OPENERS = { own: openOwn, bentocache: openBento, cache_manager: openManager } as const;
