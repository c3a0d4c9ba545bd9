import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';
import { newId, shape } from '#libs/kernel';
import { PlatformEvents } from '#libs/messaging';
import { redisOptions } from '#libs/redis';
import { TenantContextHolder } from '#libs/tenancy';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/testing';
import type { UsageMeter } from '#libs/usage';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { ClsService } from 'nestjs-cls';
import Type from 'typebox';
import { defineNamespace } from './cache-namespace';
import { TenantCache } from './tenant-cache';

interface Product {
  readonly sku: string;
  readonly version: number;
}

const PRODUCTS = defineNamespace<Product>({ name: 'test.product', ttlMs: 60_000 });
const PREFIX = 'cache-test';
const PRODUCT_TIMEOUT_MS = 50;

class RecordedEvents extends PlatformEvents {
  readonly published: unknown[] = [];

  override publish(...event: unknown[]): void {
    this.published.push(event);
  }
}

/** What one process has of the cache. */
class CacheProcess {
  readonly events = new RecordedEvents();
  readonly redis: Redis;
  readonly cache: TenantCache;
  readonly metered: [organizationId: string, metric: string, amount: number][] = [];
  private readonly tenant = new TenantContextHolder(new ClsService(new AsyncLocalStorage()));

  constructor(url: string, commandTimeout: number) {
    this.redis = new Redis(url, { ...redisOptions('fast'), commandTimeout });
    this.redis.on('error', () => undefined);
    const usage = {
      count: (...each: [string, string, number]) => void this.metered.push(each),
    } as unknown as UsageMeter;
    this.cache = new TenantCache(this.tenant, this.events, this.redis, { REDIS_KEY_PREFIX: PREFIX }, usage);
  }

  as<T>(organizationId: string, work: (cache: TenantCache) => Promise<T>): Promise<T> {
    const actor = { type: 'system', id: null } as const;
    return this.tenant.run({ organizationId, actor, permissions: new Set(), requestId: 'test' }, () =>
      work(this.cache),
    );
  }

  async ready(): Promise<void> {
    await waitFor(() => this.redis.status === 'ready', { what: 'Redis', intervalMs: 5 });
  }
}

const product = (version: number): Product => ({ sku: 'A', version });

describe('the tenant cache', () => {
  beforeAll(() => Logger.overrideLogger(false));

  afterAll(() => Logger.overrideLogger(true));

  let server: LocalRedis;
  const processes: CacheProcess[] = [];

  /** A busy machine is not what most tests are about: they wait for Redis longer than the product does. */
  const start = async (commandTimeout = 10_000): Promise<CacheProcess> => {
    const started = new CacheProcess(server.url, commandTimeout);
    processes.push(started);
    await started.ready();
    return started;
  };

  beforeAll(async () => {
    server = await startLocalRedis();
  });

  it('meters the bytes of values that it stored, once', async () => {
    const process = await start();
    const organization = newId();
    const text = JSON.stringify({ sku: 'Ä', version: 1 });
    for (let round = 0; round < 3; round += 1) {
      await process.as(organization, (cache) =>
        cache.get(PRODUCTS, 'k', () => Promise.resolve({ sku: 'Ä', version: 1 })),
      );
    }
    expect(process.metered).toEqual([[organization, 'cache_bytes', Buffer.byteLength(text)]]);
  });

  afterEach(async () => {
    for (const { redis } of processes.splice(0)) redis.disconnect();
    await server.kill('SIGCONT');
    await server.start();
  });

  afterAll(async () => {
    await server.remove();
  });

  it('loads once, then answers from memory, and from Redis in another process', async () => {
    const organization = newId();
    const [one, two] = [await start(), await start()];
    const load = jest.fn(() => Promise.resolve(product(1)));
    for (const { as } of [one, one, two].map((process) => ({ as: process.as.bind(process) }))) {
      await expect(as(organization, (cache) => cache.get(PRODUCTS, 'A', load))).resolves.toEqual(product(1));
    }
    expect(load).toHaveBeenCalledTimes(1);
    expect(one.cache.statistics.snapshot()).toMatchObject({ miss: 1, hit_near: 1 });
    expect(two.cache.statistics.snapshot()).toMatchObject({ hit_far: 1 });
  });

  it('remembers that there is none', async () => {
    const organization = newId();
    const [one, two] = [await start(), await start()];
    const load = jest.fn(() => Promise.resolve(undefined));
    for (const process of [one, one, two]) {
      await expect(process.as(organization, (cache) => cache.get(PRODUCTS, 'A', load))).resolves.toBeUndefined();
    }
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('keeps tenants apart and needs one', async () => {
    const one = await start();
    for (const version of [1, 2]) {
      const found = one.as(newId(), (cache) => cache.get(PRODUCTS, 'A', () => Promise.resolve(product(version))));
      await expect(found).resolves.toEqual(product(version));
    }
    await expect(one.cache.get(PRODUCTS, 'A', () => Promise.resolve(product(1)))).rejects.toMatchObject({
      code: 'tenant_context_missing',
    });
  });

  it('shares one load among all who ask at the same time, and its failure', async () => {
    const organization = newId();
    const one = await start();
    const load = jest.fn(() => Promise.resolve(product(1)));
    const ask = () => one.as(organization, (cache) => cache.get(PRODUCTS, 'A', load));
    await Promise.all(Array.from({ length: 50 }, ask));
    expect(load).toHaveBeenCalledTimes(1);
    expect(one.cache.statistics.snapshot()).toMatchObject({ miss: 1, joined: 49 });
    const fail = jest.fn(() => Promise.reject(new Error('no database')));
    const asks = Array.from({ length: 5 }, () => one.as(organization, (cache) => cache.get(PRODUCTS, 'B', fail)));
    const results = await Promise.allSettled(asks);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(fail).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['an entry', 'A'],
    ['a whole namespace', undefined],
  ])('answers nothing old after %s was invalidated, and tells the others', async (_what, key) => {
    const organization = newId();
    const [one, two] = [await start(), await start()];
    let current = product(1);
    const read = (process: CacheProcess) =>
      process.as(organization, (cache) => cache.get(PRODUCTS, 'A', () => Promise.resolve(current)));
    await read(one);
    await read(two);
    current = product(2);
    await one.as(organization, (cache) => cache.invalidate(PRODUCTS, key));
    await expect(read(one)).resolves.toEqual(product(2));
    const hint = { organization_id: organization, namespace: PRODUCTS.name, key: key ?? '' };
    expect(one.events.published).toEqual([['cache.invalidated', hint]]);
    two.cache.forgetNear({ organizationId: organization, namespace: PRODUCTS.name, key: hint.key });
    await expect(read(two)).resolves.toEqual(product(2));
  });

  it('gives everybody the same frozen value', async () => {
    const one = await start();
    const found = await one.as(newId(), (cache) => cache.get(PRODUCTS, 'A', () => Promise.resolve(product(1))));
    expect(() => Object.assign(found!, { version: 9 })).toThrow(TypeError);
  });

  it('takes a stored value of another shape for a miss', async () => {
    const organization = newId();
    const one = await start();
    const two = await start();
    const strict = defineNamespace<Product>({
      name: PRODUCTS.name,
      ttlMs: 60_000,
      shape: shape(Type.Object({ sku: Type.String(), version: Type.Integer() })),
    });
    const old = defineNamespace<{ sku: string }>({ name: PRODUCTS.name, ttlMs: 60_000 });
    await one.as(organization, (cache) => cache.get(old, 'A', () => Promise.resolve({ sku: 'A' })));
    await expect(
      two.as(organization, (cache) => cache.get(strict, 'A', () => Promise.resolve(product(1)))),
    ).resolves.toEqual(product(1));
  });

  /** Loads that see the database at once and land when they are told to. */
  class SlowDatabase {
    version = 1;
    begun = 0;
    private readonly waiting: (() => void)[] = [];

    readonly load = (): Promise<Product> => {
      this.begun += 1;
      const seen = product(this.version);
      return new Promise((resolve) => this.waiting.push(() => resolve(seen)));
    };

    landOldest(): void {
      this.waiting.shift()?.();
    }

    /** Lands whatever is or comes under way until all are settled. */
    async landAll(reads: readonly Promise<unknown>[]): Promise<void> {
      const all = Promise.all(reads).then(() => true);
      const turn = () => new Promise<false>((resolve) => setImmediate(() => resolve(false)));
      do this.landOldest();
      while (!(await Promise.race([all, turn()])));
    }
  }

  it('never keeps an old value in Redis, however loads, writes and invalidations interleave', async () => {
    const [one, two, fresh] = [await start(), await start(), await start()];
    const actors = [one, two];
    const step = fc.record({
      kind: fc.constantFrom('read', 'read', 'land', 'write one', 'write all'),
      actor: fc.constantFrom(0, 1),
    });
    let keptValues = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 14 }), async (steps) => {
        const organization = newId();
        const database = new SlowDatabase();
        const reads: Promise<unknown>[] = [];
        for (const { kind, actor } of steps) {
          const { cache } = actors[actor]!;
          const as = actors[actor]!.as.bind(actors[actor]!);
          if (kind === 'read') {
            const joined = () => cache.statistics.snapshot().joined;
            const [loads, joins] = [database.begun, joined()];
            let done = false;
            reads.push(as(organization, () => cache.get(PRODUCTS, 'A', database.load)).finally(() => (done = true)));
            const under = () => done || database.begun > loads || joined() > joins;
            await waitFor(under, { what: 'the load to begin', intervalMs: 1 });
          } else if (kind === 'land') {
            database.landOldest();
          } else {
            database.version += 1;
            await as(organization, () => cache.invalidate(PRODUCTS, kind === 'write one' ? 'A' : undefined));
          }
        }
        await database.landAll(reads);
        const none = () => Promise.resolve(product(-1));
        const kept = await fresh.as(organization, (cache) => cache.get(PRODUCTS, 'A', none));
        if (kept?.version !== -1) keptValues += 1;
        expect([database.version, -1]).toContain(kept?.version);
      }),
      { numRuns: 200 },
    );
    expect(keptValues).toBeGreaterThan(0); // it did keep what it may keep
  });

  describe('while Redis is away', () => {
    it.each([['killed', 'SIGKILL'] as const, ['frozen', 'SIGSTOP'] as const])(
      'loads every value, quickly, when it was %s, and works again afterwards',
      async (_how, signal) => {
        const organization = newId();
        const one = await start(PRODUCT_TIMEOUT_MS);
        const read = (key: string) =>
          one.as(organization, (cache) => cache.get(PRODUCTS, key, () => Promise.resolve(product(1))));
        await read('before');
        await server.kill(signal);
        const begun = performance.now();
        for (let i = 0; i < 20; i += 1) await expect(read(`key-${i}`)).resolves.toEqual(product(1));
        expect(performance.now() - begun).toBeLessThan(500); // one wait of 50 ms, not twenty
        expect(one.cache.statistics.snapshot().bypassed).toBe(20);
        await server.kill('SIGCONT');
        await server.start();
        let key = 0;
        await waitFor(
          async () => {
            await read(`after-${(key += 1)}`);
            return one.cache.statistics.snapshot().miss > 1;
          },
          { what: 'the cache to be used again' },
        );
      },
    );

    const staleBehindFrozenRedis = async () => {
      const organization = newId();
      const [writer, reader] = [await start(PRODUCT_TIMEOUT_MS), await start()];
      let current = product(1);
      const read = async ({ as, cache }: Pick<CacheProcess, 'as' | 'cache'>) => {
        cache.forgetNear({ organizationId: organization, namespace: PRODUCTS.name, key: 'A' });
        return as(organization, () => cache.get(PRODUCTS, 'A', () => Promise.resolve(current)));
      };
      const bound = (process: CacheProcess) => ({ as: process.as.bind(process), cache: process.cache });
      await read(bound(writer));
      await server.kill('SIGSTOP');
      current = product(2);
      await writer.as(organization, (cache) => cache.invalidate(PRODUCTS, 'A'));
      return { writer, byWriter: () => read(bound(writer)), byReader: () => read(bound(reader)) };
    };

    it('owes an invalidation, and pays it without being called again', async () => {
      const { byReader } = await staleBehindFrozenRedis();
      await server.kill('SIGCONT');
      await waitFor(async () => (await byReader())?.version === 2, { what: 'the debt to be paid' });
    });

    it('never reads what it owes the invalidation of', async () => {
      const { writer, byWriter } = await staleBehindFrozenRedis();
      const seen = [await byWriter()];
      await server.kill('SIGCONT');
      await waitFor(
        async () => {
          seen.push(await byWriter());
          const { miss, hit_far } = writer.cache.statistics.snapshot();
          return miss + hit_far > 1;
        },
        { what: 'the cache to be used again' },
      );
      expect(new Set(seen.map((found) => found?.version))).toEqual(new Set([2]));
    });
  });
});
