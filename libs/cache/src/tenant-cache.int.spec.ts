import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { newId, shape } from '#libs/kernel';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/testing';
import fc from 'fast-check';
import Type from 'typebox';
import { StandaloneCache, type StandaloneOptions } from '../test/standalone-cache';
import { defineNamespace } from './cache-namespace';
import { LEASE_MS } from './redis-level';

interface Product {
  readonly sku: string;
  readonly version: number;
}

const PRODUCTS = defineNamespace<Product>({ name: 'test.product', ttlMs: 60_000 });
const TAGGED = defineNamespace<Product>({
  name: 'test.tagged',
  ttlMs: 60_000,
  tags: (key) => ['all', `tag-of-${key}`],
});
const PREFIX = 'cache-test';
const PRODUCT_TIMEOUT_MS = 50;

const product = (version: number): Product => ({ sku: 'A', version });

describe('the tenant cache', () => {
  beforeAll(() => Logger.overrideLogger(false));

  afterAll(() => Logger.overrideLogger(true));

  let server: LocalRedis;
  const processes: StandaloneCache[] = [];

  /** A busy machine is not what most tests are about: they wait for Redis longer than the product does. */
  const start = async (options: Partial<StandaloneOptions> = {}): Promise<StandaloneCache> => {
    const started = new StandaloneCache({ url: server.url, prefix: PREFIX, ...options });
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
    expect(process.metered).toEqual([[organization, 'cache_bytes', 1 + Buffer.byteLength(text)]]);
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
    expect(one.cache.statistics.sum()).toMatchObject({ miss: 1, hit_near: 1 });
    expect(two.cache.statistics.sum()).toMatchObject({ hit_far: 1 });
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
    expect(one.cache.statistics.sum()).toMatchObject({ miss: 1, joined: 49 });
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
    const read = (process: StandaloneCache) =>
      process.as(organization, (cache) => cache.get(PRODUCTS, 'A', () => Promise.resolve(current)));
    await read(one);
    await read(two);
    current = product(2);
    await one.as(organization, (cache) => cache.invalidate(PRODUCTS, key));
    await expect(read(one)).resolves.toEqual(product(2));
    const hint = { organization_id: organization, namespace: PRODUCTS.name, key: key ?? '' };
    expect(one.events.published).toEqual([['cache.invalidated', hint]]);
    two.cache.forgetNear(organization, PRODUCTS.name, hint.key);
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
      kind: fc.constantFrom('read', 'read', 'read', 'land', 'write one', 'write all', 'write tagged'),
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
            const joined = () => cache.statistics.sum().joined;
            const [loads, joins] = [database.begun, joined()];
            let done = false;
            reads.push(as(organization, () => cache.get(TAGGED, 'A', database.load)).finally(() => (done = true)));
            const under = () => done || database.begun > loads || joined() > joins;
            for (let looks = 0; looks < 8 && !under(); looks += 1) await pause(1); // else it waits for the other's load
          } else if (kind === 'land') {
            database.landOldest();
          } else {
            database.version += 1;
            await as(organization, () =>
              kind === 'write tagged'
                ? cache.invalidateTags(['tag-of-A'])
                : cache.invalidate(TAGGED, kind === 'write one' ? 'A' : undefined),
            );
          }
        }
        await database.landAll(reads);
        const none = () => Promise.resolve(product(-1));
        const kept = await fresh.as(organization, (cache) => cache.get(TAGGED, 'A', none));
        if (kept?.version !== -1) keptValues += 1;
        expect([database.version, -1]).toContain(kept?.version);
      }),
      { numRuns: 40 },
    );
    expect(keptValues).toBeGreaterThan(0); // it did keep what it may keep
  });

  describe('with tags', () => {
    it('forgets in every namespace, key and process what hangs on one, and nothing else', async () => {
      const organization = newId();
      const [one, two] = [await start(), await start()];
      const other = defineNamespace<Product>({ name: 'test.other', ttlMs: 60_000, tags: () => ['tag-of-A'] });
      let current = product(1);
      const load = () => Promise.resolve(current);
      const readAll = (process: StandaloneCache) =>
        process.as(organization, async (cache) => {
          const found = [cache.get(TAGGED, 'A', load), cache.get(other, 'x', load), cache.get(TAGGED, 'B', load)];
          return (await Promise.all(found)).map((each) => each?.version);
        });
      for (const process of [one, two]) expect(await readAll(process)).toEqual([1, 1, 1]);
      current = product(2);
      await one.as(organization, (cache) => cache.invalidateTags(['tag-of-A']));
      expect(await readAll(one)).toEqual([2, 2, 1]);
      expect(one.events.published).toEqual([
        ['cache.invalidated', { organization_id: organization, namespace: '', key: 'tag-of-A' }],
      ]);
      two.cache.forgetNear(organization, '', 'tag-of-A');
      expect(await readAll(two)).toEqual([2, 2, 1]);
    });

    it('leaves alone what hangs on the same tag of another tenant', async () => {
      const [mine, theirs] = [newId(), newId()];
      const one = await start();
      const load = jest.fn(() => Promise.resolve(product(1)));
      await one.as(theirs, (cache) => cache.get(TAGGED, 'A', load));
      await one.as(mine, (cache) => cache.invalidateTags(['tag-of-A']));
      one.cache.forgetNear(theirs, TAGGED.name, 'A');
      await one.as(theirs, (cache) => cache.get(TAGGED, 'A', load));
      expect(load).toHaveBeenCalledTimes(1);
    });

    it('refuses more than 16', async () => {
      const many = defineNamespace({ name: 'test.many', ttlMs: 1_000, tags: () => Array.from({ length: 17 }, String) });
      const one = await start();
      const read = one.as(newId(), (cache) => cache.get(many, 'A', () => Promise.resolve(1)));
      await expect(read).rejects.toThrow('17 tags');
    });
  });

  describe('asked at once', () => {
    const AGED = defineNamespace<Product>({ name: 'test.aged', ttlMs: 60_000, staleMs: 60_000 });
    const YOUNG = defineNamespace<Product>({ name: 'test.young', ttlMs: 50, staleMs: 60_000 });
    const KEYS = Array.from({ length: 30 }, (_, key) => `key-${key}`);
    const namespaces = [PRODUCTS, TAGGED, AGED, YOUNG];

    it('answers each read with what is its own, whoever asks for whatever beside it', async () => {
      const tenants = [newId(), newId()];
      const [one, two] = [await start(), await start()];
      const read = async (process: StandaloneCache, round: string) => {
        const reads = KEYS.flatMap((key) =>
          namespaces.flatMap((namespace) => tenants.map((tenant) => ({ tenant, namespace, key }))),
        );
        const answers = reads.map(({ tenant, namespace, key }) =>
          process.as(tenant, async (cache) => {
            const sku = `${tenants.indexOf(tenant)} ${namespace.name} ${key}`;
            const found = await cache.get(namespace, key, () =>
              Promise.resolve({ sku: `${round} ${sku}`, version: 1 }),
            );
            return found!.sku === `first ${sku}` ? undefined : found!.sku;
          }),
        );
        return (await Promise.all(answers)).filter((changed) => changed !== undefined);
      };
      expect(await read(one, 'first')).toEqual([]);
      await pause(100);
      await one.as(tenants[0]!, (cache) => cache.invalidateTags(['tag-of-key-7']));
      await one.as(tenants[1]!, async (cache) => {
        await cache.invalidate(AGED, 'key-3');
        await cache.invalidate(PRODUCTS);
      });
      await one.redis.del(`${PREFIX}:cache:{${tenants[1]!}}:entry:test.tagged:key-9`);
      const version = `${PREFIX}:cache:{${tenants[0]!}}:version:test.aged`;
      await one.redis.set(version, (await one.redis.get(version))!.split('').reverse().join('')); // of the same length
      const lead = jest.spyOn(two.cache.far, 'lead');
      expect((await read(two, 'second')).sort()).toEqual(
        [
          'second 0 test.tagged key-7',
          'second 1 test.aged key-3',
          'second 1 test.tagged key-9',
          ...KEYS.map((key) => `second 1 test.product ${key}`),
          ...KEYS.map((key) => `second 0 test.aged ${key}`),
        ].sort(),
      );
      // What is behind its fresh time was served to all, and is loaded by the one who asked.
      expect(two.cache.statistics.sum()).toMatchObject({ stale: 2 * KEYS.length, miss: 3 + 2 * KEYS.length });
      expect(lead).toHaveBeenCalledTimes(3 + 4 * KEYS.length);
    });

    it('asks Redis once for what belongs to one turn', async () => {
      const organization = newId();
      const [one, two] = [await start(), await start()];
      const read = ({ as }: Pick<StandaloneCache, 'as'>) =>
        Promise.all(
          KEYS.map((key) => as(organization, (cache) => cache.get(TAGGED, key, () => Promise.resolve(product(1))))),
        );
      const lookups = async () => /cmdstat_mget:calls=(\d+)/.exec(await two.redis.info('commandstats'))?.[1];
      await read({ as: one.as.bind(one) });
      await one.redis.config('RESETSTAT');
      await read({ as: two.as.bind(two) });
      expect(await lookups()).toBe('1');
      expect(two.cache.statistics.sum()).toMatchObject({ hit_far: KEYS.length });
    });
  });

  describe('across processes', () => {
    it('loads once, however many ask in however many processes', async () => {
      const organization = newId();
      const all = await Promise.all(Array.from({ length: 4 }, () => start()));
      const load = jest.fn(async () => {
        await pause(200);
        return product(1);
      });
      const asks = all.flatMap((process) =>
        Array.from({ length: 50 }, () => process.as(organization, (cache) => cache.get(PRODUCTS, 'A', load))),
      );
      const found = await Promise.all(asks);
      expect(found.every((each) => each?.version === 1)).toBe(true);
      expect(load).toHaveBeenCalledTimes(1);
    });

    it('lets the next one load at once where a load fails', async () => {
      const organization = newId();
      const [one, two] = [await start(), await start()];
      const failing = async () => {
        await pause(100);
        throw new Error('no database');
      };
      const first = one.as(organization, (cache) => cache.get(PRODUCTS, 'A', failing));
      await pause(50);
      const begun = performance.now();
      const second = two.as(organization, (cache) => cache.get(PRODUCTS, 'A', () => Promise.resolve(product(2))));
      await expect(first).rejects.toThrow('no database');
      await expect(second).resolves.toEqual(product(2));
      expect(performance.now() - begun).toBeLessThan(LEASE_MS); // it did not wait for the lease to end
    });

    it('keeps its lease while a load takes longer than one, and loses it where the process is gone', async () => {
      const organization = newId();
      const [one, two, three] = [await start(), await start(), await start()];
      let land = (): void => undefined;
      const landed = new Promise<void>((resolve) => (land = resolve));
      const slow = async () => {
        await landed;
        return product(1);
      };
      const first = one.as(organization, (cache) => cache.get(PRODUCTS, 'A', slow));
      await pause(50);
      const load = jest.fn(() => Promise.resolve(product(2)));
      const second = two.as(organization, (cache) => cache.get(PRODUCTS, 'A', load));
      await pause(LEASE_MS * 1.5);
      expect(load).not.toHaveBeenCalled();
      one.redis.disconnect(); // as if the process had died: nothing is renewed any more
      const third = three.as(organization, (cache) => cache.get(PRODUCTS, 'A', load));
      await expect(Promise.all([second, third])).resolves.toEqual([product(2), product(2)]);
      expect(load).toHaveBeenCalledTimes(1);
      land();
      await expect(first).resolves.toEqual(product(1));
    });
  });

  describe('behind its fresh time', () => {
    const STALE = defineNamespace<Product>({ name: 'test.stale', ttlMs: 100, staleMs: 60_000, nearTtlMs: 1 });

    const aged = async () => {
      const organization = newId();
      const [one, two] = [await start(), await start()];
      await one.as(organization, (cache) => cache.get(STALE, 'A', () => Promise.resolve(product(1))));
      await pause(150);
      const read = (process: StandaloneCache, load: () => Promise<Product>) =>
        process.as(organization, (cache) => cache.get(STALE, 'A', load));
      return { organization, one, two, read };
    };

    it('serves the old value to all while one loads the new one', async () => {
      const { one, two, read } = await aged();
      let land = (): void => undefined;
      const landed = new Promise<void>((resolve) => (land = resolve));
      const load = jest.fn(async () => {
        await landed;
        return product(2);
      });
      for (const process of [one, two, one, two]) {
        await expect(read(process, load)).resolves.toEqual(product(1));
        await pause(5);
      }
      expect(load).toHaveBeenCalledTimes(1);
      expect(one.cache.statistics.sum()).toMatchObject({ stale: 1 });
      land();
      const fresh = async () => (await read(two, load))?.version === 2;
      await waitFor(fresh, { what: 'the new value', intervalMs: 5 });
    });

    it('goes on serving it while loads fail, without trying at every read', async () => {
      const { one, read } = await aged();
      const load = jest.fn(() => Promise.reject(new Error('no database')));
      for (let reads = 0; reads < 20; reads += 1) {
        await expect(read(one, load)).resolves.toEqual(product(1));
        await pause(5);
      }
      expect(load).toHaveBeenCalledTimes(1);
    });

    it('never serves what was invalidated, nor "there is none"', async () => {
      const { organization, one, read } = await aged();
      await one.as(organization, (cache) => cache.invalidate(STALE, 'A'));
      await expect(read(one, () => Promise.resolve(product(2)))).resolves.toEqual(product(2));
      const none = jest.fn(() => Promise.resolve(undefined));
      for (let reads = 0; reads < 5; reads += 1) {
        await one.as(organization, (cache) => cache.get(STALE, 'none', none));
        await pause(5);
      }
      expect(none).toHaveBeenCalledTimes(1);
      await pause(150);
      const now = one.as(organization, (cache) => cache.get(STALE, 'none', () => Promise.resolve(product(3))));
      await expect(now).resolves.toEqual(product(3));
    });
  });

  describe('with a budget', () => {
    const SMALL = defineNamespace<string>({ name: 'test.small', ttlMs: 60_000, nearTtlMs: 1 });
    const BUDGET = 20_000;
    const text = (letter: string) => letter.repeat(1_000);

    it('keeps each tenant within its own, letting go what ends soonest', async () => {
      const [wild, quiet] = [newId(), newId()];
      const one = await start({ maxCacheBytes: BUDGET });
      const load = jest.fn((letter: string) => Promise.resolve(text(letter)));
      const read = (organization: string, key: string) =>
        one.as(organization, (cache) => cache.get(SMALL, key, () => load('x')));
      await read(quiet, 'mine');
      for (let key = 0; key < 100; key += 1) await read(wild, `key-${key}`);
      const keys = await one.redis.keys(`${PREFIX}:cache:{${wild}}:entry:*`);
      let bytes = 0;
      for (const key of keys) bytes += (await one.redis.strlen(key)) + key.length;
      expect(keys.length).toBeGreaterThan(8);
      expect(bytes).toBeLessThan(BUDGET);
      await pause(5);
      load.mockClear();
      await read(quiet, 'mine');
      await read(wild, 'key-99');
      expect(load).not.toHaveBeenCalled(); // the quiet one's, and the youngest
      for (let key = 0; key < 20; key += 1) await read(wild, `key-${key}`);
      expect(load.mock.calls.length).toBeGreaterThan(10); // lives differ by a tenth, so a few may still be there
    });

    it('counts what is there: after invalidations and repeated fills, too', async () => {
      const organization = newId();
      const one = await start({ maxCacheBytes: BUDGET });
      const total = async () => Number(await one.redis.hget(`${PREFIX}:cache:{${organization}}:sizes`, 'total'));
      const read = (key: string) =>
        one.as(organization, (cache) => cache.get(SMALL, key, () => Promise.resolve(text('y'))));
      await read('A');
      const once = await total();
      expect(once).toBeGreaterThan(1_000);
      for (let round = 0; round < 30; round += 1) {
        await one.as(organization, (cache) => cache.invalidate(SMALL, 'A'));
        expect(await total()).toBe(0);
        await read('A');
        expect(await total()).toBe(once);
      }
    });

    it('does not keep what is larger than all of it, and says so', async () => {
      const organization = newId();
      const one = await start({ maxCacheBytes: 1_000 });
      const load = jest.fn(() => Promise.resolve(text('z')));
      for (let reads = 0; reads < 2; reads += 1) {
        await one.as(organization, (cache) => cache.get(SMALL, 'A', load));
        await pause(5);
      }
      expect(load).toHaveBeenCalledTimes(2);
      expect(one.cache.statistics.sum()).toMatchObject({ too_large: 2, sets: 0 });
    });
  });

  describe('the bytes of a value', () => {
    const LARGE = defineNamespace<readonly string[]>({ name: 'test.large', ttlMs: 60_000 });
    const large = Array.from({ length: 2_000 }, (_, i) => `a line that is much like the others: ${i} ÄÖÜ`);

    it('are compressed where they are many, and come back as they were', async () => {
      const organization = newId();
      const [one, two] = [await start(), await start()];
      await one.as(organization, (cache) => cache.get(LARGE, 'A', () => Promise.resolve(large)));
      const stored = await one.redis.strlen(`${PREFIX}:cache:{${organization}}:entry:test.large:A`);
      expect(stored).toBeLessThan(JSON.stringify(large).length / 5);
      const never = () => Promise.reject(new Error('loaded'));
      await expect(two.as(organization, (cache) => cache.get(LARGE, 'A', never))).resolves.toEqual(large);
    });

    it.each(['zgarbage', 'j{', '?', 'j{"sku":1}'])('are a miss where they are %s', async (payload) => {
      const organization = newId();
      const [one, two] = [await start(), await start()];
      const strict = defineNamespace<Product>({
        name: 'test.strict',
        ttlMs: 60_000,
        shape: shape(Type.Object({ sku: Type.String(), version: Type.Integer() })),
      });
      const load = jest.fn(() => Promise.resolve(product(1)));
      const read = (process: StandaloneCache) => process.as(organization, (cache) => cache.get(strict, 'A', load));
      await read(one);
      const key = `${PREFIX}:cache:{${organization}}:entry:test.strict:A`;
      const [stamp] = (await one.redis.get(key))!.split('\n');
      await one.redis.set(key, `${stamp}\n${payload}`, 'KEEPTTL');
      await expect(read(two)).resolves.toEqual(product(1));
      expect(load).toHaveBeenCalledTimes(2);
      two.cache.forgetNear(organization, 'test.strict', 'A');
      await expect(read(two)).resolves.toEqual(product(1));
      expect(load).toHaveBeenCalledTimes(2); // it was filled in anew
    });
  });

  it('forgets only after the write that it is asked for in has ended', async () => {
    const organization = newId();
    const one = await start();
    let committed = product(1);
    const read = () => one.as(organization, (cache) => cache.get(PRODUCTS, 'A', () => Promise.resolve(committed)));
    await read();
    await one.as(organization, (cache) =>
      one.writes.run(async () => {
        await cache.invalidate(PRODUCTS, 'A');
        await cache.invalidateTags(['t']);
        expect(one.events.published).toEqual([]);
        await expect(read()).resolves.toEqual(product(1)); // what others see, and may fill in
        committed = product(2);
      }),
    );
    expect(one.events.published).toHaveLength(2);
    await expect(read()).resolves.toEqual(product(2));
  });

  describe('while Redis is away', () => {
    it.each([['killed', 'SIGKILL'] as const, ['frozen', 'SIGSTOP'] as const])(
      'loads every value, quickly, when it was %s, and works again afterwards',
      async (_how, signal) => {
        const organization = newId();
        const one = await start({ commandTimeout: PRODUCT_TIMEOUT_MS });
        const read = (key: string) =>
          one.as(organization, (cache) => cache.get(PRODUCTS, key, () => Promise.resolve(product(1))));
        await read('before');
        await server.kill(signal);
        const begun = performance.now();
        for (let i = 0; i < 20; i += 1) await expect(read(`key-${i}`)).resolves.toEqual(product(1));
        expect(performance.now() - begun).toBeLessThan(500); // one wait of 50 ms, not twenty
        expect(one.cache.statistics.sum().bypassed).toBe(20);
        await server.kill('SIGCONT');
        await server.start();
        let key = 0;
        await waitFor(
          async () => {
            await read(`after-${(key += 1)}`);
            return one.cache.statistics.sum().miss > 1;
          },
          { what: 'the cache to be used again' },
        );
      },
    );

    it('lets one read try whether it is back, and keeps no other waiting for that', async () => {
      const one = await start({ commandTimeout: 1_000 });
      const { statistics } = one.cache;
      const read = (key: string) =>
        one.as(newId(), (cache) => cache.get(PRODUCTS, key, () => Promise.resolve(product(1))));
      await server.kill('SIGSTOP');
      await read('A');
      await pause(300); // by now another one may try
      const reads = Array.from({ length: 20 }, (_, i) => read(`key-${i}`));
      await pause(300);
      expect(statistics.sum().bypassed).toBe(1 + 19);
      await Promise.all(reads);
      expect(statistics.sum().bypassed).toBe(1 + 20);
    });

    const staleBehindFrozenRedis = async () => {
      const organization = newId();
      const [writer, reader] = [await start({ commandTimeout: PRODUCT_TIMEOUT_MS }), await start()];
      let current = product(1);
      const read = async ({ as, cache }: Pick<StandaloneCache, 'as' | 'cache'>) => {
        cache.forgetNear(organization, PRODUCTS.name, 'A');
        return as(organization, () => cache.get(PRODUCTS, 'A', () => Promise.resolve(current)));
      };
      const bound = (process: StandaloneCache) => ({ as: process.as.bind(process), cache: process.cache });
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
          const { miss, hit_far } = writer.cache.statistics.sum();
          return miss + hit_far > 1;
        },
        { what: 'the cache to be used again' },
      );
      expect(new Set(seen.map((found) => found?.version))).toEqual(new Set([2]));
    });
  });
});
