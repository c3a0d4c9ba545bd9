/**
 * The queues on a Redis Cluster of three nodes: jobs of several tenants and classes through the outbox, relays and workers, their
 * order, limits and repetitions, and nodes that are killed meanwhile.
 */
import { tenantStatement } from '#libs/database';
import { closed, newId, shape } from '#libs/kernel';
import { connectRedis, isConnected, keySlot, type RedisClient, redisMasters, serverOfKey } from '#libs/redis';
import type { Tier } from '#libs/tenancy';
import {
  createOrganization,
  createTestEnvironment,
  type LocalRedisCluster,
  startRedisCluster,
  type TestEnvironment,
  waitFor,
} from '#libs/testing';
import { Queue } from 'bullmq';
import Type from 'typebox';
import { type WorkerUnderTest, workerUnderTest } from '../test/worker-under-test';
import { OutboxRelay } from './relay/outbox-relay';
import { UpkeepService } from './upkeep/upkeep.service';
import {
  defineJob,
  HandlesJob,
  JOB_CLASSES,
  type Job,
  type JobClass,
  type JobContext,
  type JobHandler,
  JobService,
  type NewJob,
  queuePrefix,
  readQueueLoad,
} from '.';

const PAYLOAD = shape(closed({ name: Type.String() }));
type Payload = { name: string };
const DEFINITIONS = JOB_CLASSES.map((jobClass) =>
  defineJob({ type: `cluster.${jobClass}`, class: jobClass, version: 1, payload: PAYLOAD, attempts: 3, backoffMs: 50 }),
);

const addLocation = tenantStatement(
  'cluster_add_location',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $4)',
);

/** What ran, in order; the hook decides how. */
const seen: string[] = [];
let during: (context: JobContext<Payload, number>) => Promise<void> = () => Promise.resolve();

class Handler implements JobHandler<Payload, number> {
  /** Its effect is one row, each time that it is done. */
  async run(context: JobContext<Payload, number>) {
    seen.push(context.payload.name);
    await during(context);
    if (context.checkpoint === null) {
      const statements = [addLocation(newId(), newId().slice(-20), context.jobId)];
      await context.commit({ checkpoint: 1, processed: 1, failed: 0, total: 1, statements });
    }
    return {};
  }
}

const HANDLERS = DEFINITIONS.map((definition) => {
  const handler = class extends Handler {};
  HandlesJob(definition)(handler);
  return handler;
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('queues on a Redis Cluster', () => {
  let cluster: LocalRedisCluster;
  let env: TestEnvironment;
  let redis: RedisClient;
  let workers: WorkerUnderTest[] = [];

  const open = async (concurrency: number) => {
    const slots = Object.fromEntries(
      JOB_CLASSES.map((name) => [`QUEUE_CONCURRENCY_${name.toUpperCase()}`, concurrency]),
    );
    const config = { ...env.config, ...slots };
    const worker = await workerUnderTest({ config, jobs: DEFINITIONS, handlers: HANDLERS });
    workers.push(worker);
    return worker;
  };
  const tenant = async (tier: Tier = 'enterprise') => (await createOrganization(env, { tier })).id;
  const add = (
    worker: WorkerUnderTest,
    at: string,
    jobClass: JobClass,
    name: string,
    options: Partial<NewJob<Payload>> = {},
  ) => {
    const definition = DEFINITIONS[JOB_CLASSES.indexOf(jobClass)]!;
    return worker.asTenant(at, () => worker.app.get(JobService).create({ definition, payload: { name }, ...options }));
  };
  const relayed = async (worker: WorkerUnderTest) => {
    while ((await worker.app.get(OutboxRelay).relayOnce()) > 0);
  };
  const jobOf = (worker: WorkerUnderTest, at: string, id: string): Promise<Job> =>
    worker.asTenant(at, () => worker.app.get(JobService).get(id));
  const ended = (worker: WorkerUnderTest, at: string, id: string) =>
    waitFor(
      async () => {
        const job = await jobOf(worker, at, id);
        return ['completed', 'failed', 'cancelled'].includes(job.state) && job;
      },
      { what: 'the end of the job', timeoutMs: 30_000 },
    );
  const count = async (sql: string, ...values: unknown[]) =>
    (await env.query<{ n: number }>(`select count(*)::int as n from ${sql}`, values))[0]!.n;
  const allDone = (tenants: readonly string[], timeoutMs = 60_000) =>
    waitFor(
      async () =>
        (await count("jobs where organization_id = any($1) and state in ('queued', 'running')", tenants)) === 0,
      { what: 'the last job', timeoutMs, intervalMs: 100 },
    );
  const expectOnceEach = async (tenants: readonly string[], jobs: number) => {
    const states = await env.query(
      'select state, error, count(*)::int as n from jobs where organization_id = any($1) group by 1, 2',
      [tenants],
    );
    expect(states).toEqual([{ state: 'completed', error: null, n: jobs }]);
    expect(await count('locations where not is_default and organization_id = any($1)', tenants)).toBe(jobs);
    const names = '(select distinct name from locations where not is_default and organization_id = any($1)) names';
    expect(await count(names, tenants)).toBe(jobs);
  };

  beforeAll(async () => {
    cluster = await startRedisCluster({ args: ['--appendonly', 'yes'] });
    env = await createTestEnvironment({ REDIS_URL: cluster.url, OUTBOX_POLL_MS: '50', QUEUE_LOCK_MS: '2000' });
    redis = connectRedis(cluster.url, 'queue');
    redis.on('error', () => undefined);
    await waitFor(() => isConnected(redis), { what: 'the cluster', intervalMs: 10 });
  }, 60_000);

  beforeEach(() => {
    seen.length = 0;
    during = () => Promise.resolve();
  });

  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    workers = [];
  });

  afterAll(async () => {
    redis.disconnect();
    await env.dispose();
    await cluster.remove();
  });

  const keysOf = async (pattern: string) =>
    (await Promise.all(redisMasters(redis).map((node) => node.keys(pattern)))).flat();

  it('do the jobs of every class and tenant, each once, and keep a class in one slot', async () => {
    const tenants = await Promise.all(Array.from({ length: 4 }, () => tenant()));
    const [one, two] = [await open(4), await open(4)];
    one.start();
    two.start();
    for (let n = 0; n < 20; n += 1) {
      await Promise.all(tenants.flatMap((at) => JOB_CLASSES.map((jobClass) => add(one, at, jobClass, `${n}`))));
    }
    await allDone(tenants);
    await expectOnceEach(tenants, 20 * 4 * JOB_CLASSES.length);
    const places = JOB_CLASSES.map((jobClass) => queuePrefix(env.config, jobClass));
    for (const prefix of places) {
      const keys = await keysOf(`${prefix}:*`);
      expect(keys.length).toBeGreaterThan(10);
      expect(new Set(keys.map(keySlot))).toEqual(new Set([keySlot(prefix)]));
    }
    expect(new Set(places.map((prefix) => serverOfKey(redis, prefix))).size).toBeGreaterThan(1);
  }, 120_000);

  it('keep the fair order and say how much waits', async () => {
    const worker = await open(1);
    const [many, few, big] = [await tenant('free'), await tenant('free'), await tenant('professional')];
    for (let n = 0; n < 30; n += 1) await add(worker, many, 'low', 'many');
    await relayed(worker);
    for (let n = 0; n < 5; n += 1) await add(worker, few, 'low', 'few');
    for (let n = 0; n < 20; n += 1) await add(worker, big, 'low', 'big');
    await relayed(worker);
    const queue = new Queue('low', { connection: redis, prefix: queuePrefix(env.config, 'low') });
    expect(await readQueueLoad(redis, env.config, queue)).toMatchObject({ waiting: 55, active: 0 });
    await queue.close();
    worker.start();
    await allDone([many, few, big]);
    expect(seen.slice(0, 12).filter((name) => name === 'few').length).toBeGreaterThanOrEqual(2);
    expect(seen.slice(0, 24).filter((name) => name === 'big').length).toBeGreaterThanOrEqual(14); // 4 of 6 shares
    expect(seen.lastIndexOf('few')).toBeLessThan(36);
  }, 120_000);

  it('run no more of a tenant at once than its limit, over two workers', async () => {
    const free = await tenant('free');
    const [running, most] = [new Map<string, number>(), new Map<string, number>()];
    during = async ({ payload: { name } }) => {
      running.set(name, (running.get(name) ?? 0) + 1);
      most.set(name, Math.max(most.get(name) ?? 0, running.get(name)!));
      await pause(20);
      running.set(name, running.get(name)! - 1);
    };
    const [one, two] = [await open(4), await open(4)];
    one.start();
    two.start();
    const classes = ['high', 'bulk'] as const;
    for (let n = 0; n < 30; n += 1) for (const jobClass of classes) await add(one, free, jobClass, jobClass);
    await allDone([free]);
    expect(Object.fromEntries(most)).toEqual({ high: 2, bulk: 2 });
    await expectOnceEach([free], 60);
  }, 120_000);

  it('delay, repeat, cancel and retry jobs', async () => {
    const worker = await open(2);
    const at = await tenant();
    let failures = 2;
    during = ({ payload: { name } }) => {
      if (name === 'broken' && failures-- > 0) return Promise.reject(new Error('not yet'));
      return name === 'hopeless' ? Promise.reject(new Error('never')) : Promise.resolve();
    };
    const due = Date.now() + 1_500;
    const cancelled = await add(worker, at, 'normal', 'cancelled', { runAt: new Date(due) });
    const later = await add(worker, at, 'critical', 'later', { runAt: new Date(due) });
    await worker.asTenant(at, () => worker.app.get(JobService).cancel(cancelled.id));
    worker.start();
    const broken = await add(worker, at, 'high', 'broken');
    const hopeless = await add(worker, at, 'bulk', 'hopeless', { attempts: 2 });
    expect(await ended(worker, at, broken.id)).toMatchObject({ state: 'completed', attempts: 3 });
    expect(await ended(worker, at, hopeless.id)).toMatchObject({ state: 'failed', attempts: 2 });
    expect(await ended(worker, at, later.id)).toMatchObject({ state: 'completed' });
    expect(Date.now()).toBeGreaterThanOrEqual(due);
    expect(await jobOf(worker, at, cancelled.id)).toMatchObject({ state: 'cancelled' });
    during = () => Promise.resolve();
    await worker.asTenant(at, () => worker.app.get(JobService).retryWithoutLetter(cancelled.id));
    expect(await ended(worker, at, cancelled.id)).toMatchObject({ state: 'completed' });
    expect(seen.filter((name) => name === 'cancelled')).toHaveLength(1);
  }, 60_000);

  it('lose nothing and double nothing while nodes are killed, one after another and all at once', async () => {
    const tenants = await Promise.all(Array.from({ length: 3 }, () => tenant()));
    const [one, two] = [await open(4), await open(4)];
    one.start();
    two.start();
    during = async () => {
      await pause(5);
    };
    const making = (async () => {
      for (let n = 0; n < 40; n += 1) {
        await Promise.all(tenants.flatMap((at) => JOB_CLASSES.map((jobClass) => add(one, at, jobClass, `${n}`))));
        await pause(100);
      }
    })();
    for (const victims of [...cluster.nodes.map((node) => [node]), cluster.nodes]) {
      await Promise.all(victims.map((node) => node.kill('SIGKILL')));
      await pause(1_500); // long enough for the others to count it as away
      await Promise.all(victims.map((node) => node.start()));
      await cluster.settled();
      await pause(500);
    }
    await making;
    await allDone(tenants, 120_000);
    await expectOnceEach(tenants, 40 * 3 * JOB_CLASSES.length);
  }, 240_000);

  it('put back what a node has lost, which they notice by its run', async () => {
    const worker = await open(2);
    const at = await tenant();
    const upkeep = worker.app.get(UpkeepService);
    const jobs = [];
    for (const jobClass of JOB_CLASSES) jobs.push(await add(worker, at, jobClass, jobClass));
    await relayed(worker);
    const prefix = queuePrefix(env.config, 'bulk');
    const victim = await cluster.nodeOfKey(prefix);
    await upkeep.tick(); // has the lease and knows the runs of the nodes
    await keysLost(redis, prefix);
    await pause(11_000); // younger ones do not count as lost
    await victim.kill('SIGKILL');
    await victim.start();
    await cluster.settled();
    worker.start();
    await allDone([at], 60_000);
    await expectOnceEach([at], JOB_CLASSES.length);
  }, 120_000);

  async function keysLost(client: RedisClient, prefix: string): Promise<void> {
    const keys = await keysOf(`${prefix}:*`);
    expect(keys.length).toBeGreaterThan(0);
    await client.unlink(...keys);
  }
});
