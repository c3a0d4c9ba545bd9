/**
 * The tenant cache against bentocache and cache-manager (with keyv), all on one Redis, with one value of some 300 bytes of JSON.
 *
 * - near_hit: the value is in the memory of the process. Theirs: bentocache's memory driver over its Redis driver with a bus-less
 *   stack, cache-manager's keyv in memory
 * - far_hit: the value is in Redis alone and hangs on two tags; FLIGHTS reads at once. Bentocache has its Redis level only, as
 *   it keeps what it read in memory otherwise; cache-manager knows no tags, its keyv is over @keyv/redis
 * - stampede: PROCESSES processes ask for one absent value, CALLERS times each at once, and a load takes LOAD_MS. Figure:
 *   loads; the reference is one
 */
import { newId } from '#libs/kernel';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startLocalRedis } from '#libs/local-stack';
import type { Bench, Comparison, Contestant } from '../harness/bench';
import { inFlight } from '../harness/parallel';
import { type BenchCache, openBento, openManager, openOwn, VALUE } from './cache/caches';

const FLIGHTS = 64;
const KEYS = 5_000;
const PROCESSES = 4;
const CALLERS = 50;
const LOAD_MS = 200;
const ASKER = join(__dirname, 'cache', 'asker.js');

const keyOf = (number: number): string => `product-${number % KEYS}`;
const load = (): Promise<typeof VALUE> => Promise.resolve(VALUE);
const mustHit = (): never => {
  throw new Error('A value was not there.');
};

async function near(cache: BenchCache): Promise<Contestant> {
  await cache.within(() => cache.get('near', load));
  return {
    name: cache.name,
    run: (operations) =>
      cache.within(async () => {
        for (let read = 0; read < operations; read += 1) await cache.get('near', load);
      }),
  };
}

async function far(cache: BenchCache): Promise<Contestant> {
  let next = 0;
  await cache.within(() => inFlight(FLIGHTS, KEYS, () => cache.get(keyOf((next += 1)), load)));
  return {
    name: cache.name,
    run: (operations) =>
      cache.within(() => inFlight(FLIGHTS, operations, () => cache.get(keyOf((next += 1)), mustHit))),
  };
}

function stampede(name: string, url: string): Contestant {
  return {
    name,
    run: async () => {
      const redis = new Redis(url);
      const key = newId();
      const askers = Array.from({ length: PROCESSES }, () =>
        fork(ASKER, [name, url, key, String(CALLERS), String(LOAD_MS)], {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        }),
      );
      try {
        await Promise.all(askers.map((asker) => once(asker, 'message')));
        const ended = Promise.all(askers.map((asker) => once(asker, 'exit')));
        for (const asker of askers) asker.send('ask');
        for (const [status] of await ended) if (status !== 0) throw new Error(`An asker ended with ${status}.`);
        return Number(await redis.get(`loads:${key}`));
      } finally {
        redis.disconnect();
      }
    },
  };
}

export const CACHE_BENCH: Bench = {
  name: 'cache',
  about: 'the tenant cache against bentocache and cache-manager on one Redis.',
  async *compare(): AsyncGenerator<Comparison> {
    await using opened = new AsyncDisposableStack();
    const server = await startLocalRedis();
    opened.defer(() => server.remove());
    const { url } = server;
    const open = async (cache: Promise<BenchCache>): Promise<BenchCache> => {
      const made = await cache;
      opened.defer(() => made.close());
      return made;
    };
    const nearOwn = await near(await open(openOwn({ url, levels: 'both' })));
    for (const other of [openBento, openManager]) {
      const cache = await open(other({ url, levels: 'both' }));
      yield { name: `near_hit_${cache.name}`, subject: nearOwn, reference: await near(cache) };
    }
    const farOwn = await far(await open(openOwn({ url, levels: 'far' })));
    for (const other of [openBento, openManager]) {
      const cache = await open(other({ url, levels: 'far' }));
      yield { name: `far_hit_${cache.name}`, subject: farOwn, reference: await far(cache) };
    }
    const one: Contestant = { name: 'one', run: () => Promise.resolve(1) };
    for (const name of ['own', 'bentocache', 'cache_manager'])
      yield { name: `stampede_${name}`, measures: 'own', subject: stampede(name, url), reference: one };
  },
};
