import { createHttpApplication } from '#libs/http';
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigModule } from '#libs/config';
import { newId } from '#libs/kernel';
import { RedisModule } from '#libs/redis';
import { TenancyModule } from '#libs/tenancy';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { Redis } from 'ioredis';
import { ObservabilityModule, type ProcessName, SignalReader } from '..';
import { signalKeys, SILENCE_MS } from './process-signals';

describe('signals of processes', () => {
  let env: TestEnvironment;
  let redis: Redis;
  let heard: string, said: string;
  const started: NestFastifyApplication[] = [];

  const start = async (process: ProcessName) => {
    @Module({})
    class Root {}
    const module = {
      module: Root,
      global: true,
      imports: [
        ConfigModule.forRoot(env.config),
        TenancyModule,
        RedisModule.forRoot(env.config),
        ObservabilityModule.forRoot({ config: env.config, process }),
      ],
      providers: [SignalReader],
    };
    const app = await createHttpApplication({ module, config: env.config });
    await app.init();
    started.push(app);
    return app;
  };
  const names = async (app: NestFastifyApplication) =>
    (await app.get(SignalReader).processes()).map(({ process }) => process).sort();

  beforeEach(async () => {
    env = await createTestEnvironment();
    redis = new Redis(env.config.REDIS_URL);
    [heard, said] = signalKeys(env.config.REDIS_KEY_PREFIX);
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((app) => app.close()));
    redis.disconnect();
    await env.dispose();
  });

  it('are heard of every process with its numbers, until it ends', async () => {
    const [one, other] = [await start('api'), await start('worker')];
    // A process that started before Redis answered is heard with its next beat.
    await waitFor(async () => (await names(one)).join() === 'api,worker', { what: 'both', timeoutMs: 15_000 });
    for (const signals of await one.get(SignalReader).processes()) {
      expect(signals.memory_ratio).toBeGreaterThan(0);
      expect(signals.requests_per_second).toBe(0);
    }
    const { body } = await other.inject({ url: '/metrics' });
    expect(body).toMatch(/^stockyard_process_memory_ratio 0\.\d+$/m);
    expect(body).toMatch(/^stockyard_process_cpu_limit_cores [\d.]+$/m);
    await other.close();
    started.splice(started.indexOf(other), 1);
    expect(await names(one)).toEqual(['api']);
    expect(await redis.pttl(said)).toBeGreaterThan(0);
    expect(await redis.pttl(said)).toBeLessThanOrEqual(SILENCE_MS);
  }, 30_000);

  it('are not believed when they are none, and forgotten when they are old', async () => {
    const app = await start('metrics');
    await waitFor(async () => (await names(app)).length === 1, { what: 'itself', timeoutMs: 15_000 });
    const fine = { process: 'api', requests_per_second: 1, p95_ms: 1, cpu_ratio: 0.5, memory_ratio: 0.5 };
    const now = Date.now();
    const plant = async (value: string, at = now) => {
      const id = newId();
      await redis.multi().zadd(heard, at, id).hset(said, id, value).exec();
    };
    await plant(JSON.stringify(fine));
    for (const wrong of [
      'no json',
      'null',
      '[]',
      JSON.stringify({ ...fine, process: 'api"} 1' }),
      JSON.stringify({ ...fine, cpu_ratio: -1 }),
      JSON.stringify({ ...fine, cpu_ratio: '0.5' }),
      JSON.stringify({ ...fine, p95_ms: null }),
      JSON.stringify({ ...fine, p95_ms: 1e300 }),
      JSON.stringify({ ...fine, tenant: 'x' }),
      JSON.stringify({ process: 'api' }),
    ])
      await plant(wrong);
    await redis.zadd(heard, now, 'heard-and-nothing-said');
    await plant(JSON.stringify({ ...fine, process: 'worker' }), now - SILENCE_MS - 1_000);
    expect(await names(app)).toEqual(['api', 'metrics']);
    expect(await app.get(SignalReader).processes()).toContainEqual(fine);
  }, 30_000);
});
