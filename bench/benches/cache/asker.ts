/**
 * A process of its own that asks for one absent value many times at once. argv: which cache, URL, key, callers, milliseconds of a
 * load. Says when it is ready, asks when it is told to, and counts its loads in Redis under `loads:<key>`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { OPENERS, VALUE } from './caches';

async function main([name, url, key, callers, loadMs]: readonly string[]): Promise<void> {
  const cache = await OPENERS[name as keyof typeof OPENERS]({
    url: url!,
    levels: 'both',
    scope: '00000000-0000-7000-8000-000000000000',
  });
  const redis = new Redis(url!);
  await redis.ping();
  const load = async (): Promise<typeof VALUE> => {
    await redis.incr(`loads:${key}`);
    await pause(Number(loadMs));
    return VALUE;
  };
  process.send!('ready');
  await new Promise((resolve) => process.once('message', resolve));
  await cache.within(() => Promise.all(Array.from({ length: Number(callers) }, () => cache.get(key!, load))));
  await cache.close();
  redis.disconnect();
  process.disconnect();
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
