/** A worker that runs some classes only. */
import { spawnSync } from 'node:child_process';
import { JOB_CLASSES, queuePrefix, readQueueLoad } from '#libs/queues';
import { createTestEnvironment, freePort, type TestEnvironment, waitFor } from '#libs/testing';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { WorkerProcess } from './worker-process';

describe('worker --classes', () => {
  let env: TestEnvironment;
  let redis: Redis;

  beforeAll(async () => {
    env = await createTestEnvironment();
    redis = new Redis(env.config.REDIS_URL);
  });

  afterAll(async () => {
    redis.disconnect();
    await env.dispose();
  });

  const slots = async () => {
    const loads = JOB_CLASSES.map(async (name) => {
      const queue = new Queue(name, { connection: redis, prefix: queuePrefix(env.config, name) });
      const load = await readQueueLoad(redis, env.config, queue);
      await queue.close();
      return [name, load.slots];
    });
    return Object.fromEntries(await Promise.all(loads)) as Record<string, number>;
  };

  it('takes slots of these classes alone, and gives them back when it ends', async () => {
    const variables = { ...env.variables, WORKER_PORT: String(await freePort()) };
    const worker = await WorkerProcess.start(variables, ['--classes', 'bulk,low']);
    try {
      const none = { critical: 0, high: 0, normal: 0, low: 0, bulk: 0 };
      await waitFor(async () => (await slots()).low === 3, { what: 'the worker on the roll' });
      expect(await slots()).toEqual({ ...none, low: 3, bulk: 2 });
      await worker.kill('SIGTERM');
      expect(await slots()).toEqual(none);
    } finally {
      await worker.kill('SIGKILL');
    }
  });

  it.each([
    [['--classes', 'bulk,huge'], 1, 'WORKER_CLASSES must match pattern'],
    [['--class', 'bulk'], 2, 'Usage: worker [--classes'],
  ])('refuses %j with status %d', (options, status, message) => {
    const program = ['dist/apps/worker/src/main.js', ...options];
    const ended = spawnSync(process.execPath, program, { env: { PATH: process.env.PATH, ...env.variables } });
    expect([ended.status, ended.stderr.toString()]).toEqual([status, expect.stringContaining(message)]);
  });
});
