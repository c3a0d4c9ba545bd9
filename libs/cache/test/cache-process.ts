/**
 * A process of its own that reads, writes and invalidates at random, and writes down what it saw. The truth is a counter in Redis,
 * beside the cache. argv: URL, prefix, organization, milliseconds, seed. Prints one JSON line an event:
 * `{ kind: 'read', begun, version, near }` or `{ kind: 'forgotten', at, version }`, times in milliseconds of this machine's clock.
 * Hints reach nobody, so memory is as old as it ever gets. Needs dist.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { defineNamespace } from '../src/cache-namespace';
import { StandaloneCache } from './standalone-cache';

const [url, prefix, organization, milliseconds, seed] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];

/** mulberry32 */
let state = Number(seed);
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

/** Monotonic within a machine, and the same for all its processes. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const print = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

const options = { ttlMs: 300, staleMs: 300, tags: () => ['one', 'two'] };
const FAR = defineNamespace<number>({ ...options, name: 'far', nearTtlMs: 1 });
const NEAR = defineNamespace<number>({ ...options, name: 'near', nearTtlMs: 100 });

async function main(): Promise<void> {
  const standalone = new StandaloneCache({ url, prefix });
  await standalone.ready();
  const truth = `${prefix}:truth`;
  const load = async (): Promise<number> => {
    const version = Number(await standalone.redis.get(truth));
    if (random() < 0.3) await pause(random() * 30); // meanwhile others write
    return version;
  };
  const read = async (): Promise<void> => {
    const namespace = random() < 0.5 ? FAR : NEAR;
    const begun = now();
    const version = await standalone.as(organization, (cache) => cache.get(namespace, 'k', load));
    print({ kind: 'read', begun, version, near: namespace.nearTtlMs });
  };
  const write = async (): Promise<void> => {
    const version = await standalone.redis.incr(truth);
    await standalone.as(organization, async (cache) => {
      const way = random();
      if (way < 0.4) await cache.invalidateTags([random() < 0.5 ? 'one' : 'two']);
      else for (const namespace of [FAR, NEAR]) await cache.invalidate(namespace, way < 0.8 ? 'k' : undefined);
    });
    print({ kind: 'forgotten', at: now(), version });
  };
  const until = now() + Number(milliseconds);
  const loop = async (): Promise<void> => {
    while (now() < until) {
      await (random() < 0.12 ? write() : read());
      if (random() < 0.5) await pause(random() * 4);
    }
  };
  await Promise.all(Array.from({ length: 4 }, loop));
  standalone.redis.disconnect();
}

void main();
