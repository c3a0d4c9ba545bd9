import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { LocalRedis, startLocalRedis } from './local-redis';
import { findRedisProgram, type RedisFlavour } from './redis-program';
import { identifyProcess } from './process-identity';

jest.setTimeout(60_000);

const flavours: RedisFlavour[] = ['wasm'];
try {
  flavours.push(findRedisProgram('native').flavour);
} catch {
  // No native server on this machine: the one in WebAssembly is tested alone.
}

describe.each(flavours)('a local redis (%s)', (flavour) => {
  let redis: LocalRedis;

  const withClient = async <T>(work: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis(redis.url, { maxRetriesPerRequest: 1 });
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  };

  beforeAll(async () => {
    redis = await startLocalRedis({ flavour, persistent: true });
  });

  afterAll(async () => {
    await redis.remove();
  });

  it('answers, runs scripts and blocks', async () => {
    await withClient(async (client) => {
      expect(await client.eval('return redis.call("incrby", KEYS[1], ARGV[1])', 1, 'n', 5)).toBe(5);
      await client.rpush('list', 'a');
      expect(await client.blpop('list', 1)).toEqual(['list', 'a']);
      expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    });
  });

  it('answers a lone client at once, not at the next tick of a timer', async () => {
    await withClient(async (client) => {
      await client.ping();
      const began = performance.now();
      for (let commands = 0; commands < 100; commands += 1) await client.ping();
      expect(performance.now() - began).toBeLessThan(5_000); // a tick of 100 ms each would make it ten seconds
    });
  });

  it('comes back on its port after it was killed, with its data when it is persistent', async () => {
    await withClient((client) => client.set('kept', 'yes'));
    if (redis.persistent) await withClient((client) => client.call('WAITAOF', '0', '0', '0').catch(() => undefined));
    const { pid } = redis;
    await redis.kill('SIGKILL');
    expect(identifyProcess(pid ?? 0)).toBeUndefined();
    await redis.start();
    expect(await withClient((client) => client.get('kept'))).toBe(redis.persistent ? 'yes' : null);
  });

  it('says why it could not start when its port is taken', async () => {
    const other = await startLocalRedis({ flavour });
    try {
      const clash = new LocalRedis(other.program, other.port, {});
      await expect(clash.start()).rejects.toThrow(`Port ${other.port} is in use: Redis cannot start on it.`);
      await clash.remove();
    } finally {
      await other.remove();
    }
  });

  it('leaves neither a process nor a file', async () => {
    const { pid, dir } = redis;
    await redis.remove();
    expect(identifyProcess(pid ?? 0)).toBeUndefined();
    expect(existsSync(dir)).toBe(false);
  });
});
