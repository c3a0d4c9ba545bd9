/** The limit of a tenant's running jobs over many workers, some of which die; Redis is real, workers are simulated. */
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/testing';
import { Redis } from 'ioredis';
import { ClassKeys } from '../fair/fair-keys';
import { type RunningJob, RunningJobs } from './running-jobs';
import { readRoll, WorkerRoll } from './worker-roll';

const CLASS = 'normal';
const LOCK_MS = 2_000;

describe('the running jobs of a tenant', () => {
  let server: LocalRedis;
  let redis: Redis;
  let prefix: string;
  let keys: ClassKeys;

  beforeAll(async () => {
    server = await startLocalRedis();
    redis = new Redis(server.url);
  });

  beforeEach(() => {
    prefix = `running-${newId().slice(-12)}`;
    keys = new ClassKeys({ REDIS_KEY_PREFIX: prefix, REDIS_URL: server.url });
  });

  afterAll(async () => {
    redis.disconnect();
    await server.remove();
  });

  const worker = async (slots = 5) => {
    const config = loadConfig({
      REDIS_KEY_PREFIX: prefix,
      QUEUE_LOCK_MS: String(LOCK_MS),
      QUEUE_CONCURRENCY_NORMAL: String(slots),
    });
    const roll = new WorkerRoll(redis, config);
    await roll.call();
    return { roll, jobs: new RunningJobs(redis, config, roll) };
  };
  const job = (organizationId: string, limit: number): RunningJob => {
    return { jobClass: CLASS, organizationId, jobId: `job-${newId()}`, limit };
  };
  const counted = (tenant: string) => redis.zcard(keys.running(CLASS, tenant)[0]);

  it('are never more than its limit, whichever of many workers begin and end them, and nobody waits for ever', async () => {
    const workers = await Promise.all(Array.from({ length: 4 }, () => worker()));
    await Promise.all(workers.map(({ roll }) => roll.call()));
    const tenants = [
      { id: newId(), limit: 3, running: 0, most: 0, done: 0 },
      { id: newId(), limit: 7, running: 0, most: 0, done: 0 },
    ];
    const JOBS = 150;
    const line = tenants.flatMap((tenant) =>
      Array.from({ length: JOBS }, () => ({ tenant, job: job(tenant.id, tenant.limit) })),
    );
    const aside = new Map<string, (typeof line)[number]>();
    const call = (ids: readonly string[]) => {
      for (const id of ids) {
        const called = aside.get(id);
        if (!called) continue; // its own worker has called it already
        aside.delete(id);
        line.unshift(called);
      }
    };
    const serve = async ({ jobs }: (typeof workers)[number]) => {
      for (;;) {
        const next = line.shift();
        if (!next) {
          if (aside.size === 0 && tenants.every(({ done }) => done === JOBS)) return;
          await new Promise(setImmediate);
          continue;
        }
        const { tenant } = next;
        if (!(await jobs.begin(next.job))) {
          aside.set(next.job.jobId, next);
          if (await jobs.setAside(next.job)) call([next.job.jobId]);
          continue;
        }
        tenant.running += 1;
        tenant.most = Math.max(tenant.most, tenant.running);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
        tenant.running -= 1;
        tenant.done += 1;
        call(await jobs.done(next.job));
      }
    };
    await Promise.all(workers.flatMap((one) => Array.from({ length: 5 }, () => serve(one))));
    expect(tenants.map(({ most }) => most)).toEqual([3, 7]);
    expect(await counted(tenants[0]!.id)).toBe(0);
  }, 60_000);

  it('cost no call where the limit is beyond what all workers can run', async () => {
    const { jobs } = await worker(5);
    const sent = jest.spyOn(redis, 'sendCommand');
    const one = job(newId(), 5);
    expect(await jobs.begin(one)).toBe(true);
    expect(await jobs.done(one)).toEqual([]);
    expect(sent).not.toHaveBeenCalled();
    sent.mockRestore();
  });

  it('are counted from the moment when a worker joins and the limit begins to bind', async () => {
    const first = await worker(5);
    const tenant = newId();
    for (let i = 0; i < 5; i += 1) await first.jobs.begin(job(tenant, 6));
    expect(await counted(tenant)).toBe(0);
    const second = await worker(5);
    await first.roll.call();
    await first.jobs.renew();
    expect(await counted(tenant)).toBe(5);
    expect(await second.jobs.begin(job(tenant, 6))).toBe(true);
    expect(await second.jobs.begin(job(tenant, 6))).toBe(false);
  });

  it('of a worker that died free their slots when their leases end, those of one that lives are renewed', async () => {
    const [dead, alive] = [await worker(), await worker()];
    const tenant = newId();
    await dead.roll.call();
    expect(await dead.jobs.begin(job(tenant, 2))).toBe(true);
    expect(await alive.jobs.begin(job(tenant, 2))).toBe(true);
    expect(await alive.jobs.begin(job(tenant, 2))).toBe(false);
    const renewing = setInterval(() => void alive.jobs.renew(), LOCK_MS / 8);
    try {
      await waitFor(() => alive.jobs.begin(job(tenant, 2)), { what: 'the slot of the dead', timeoutMs: 4 * LOCK_MS });
      expect(await alive.jobs.begin(job(tenant, 2))).toBe(false);
    } finally {
      clearInterval(renewing);
    }
  });

  it('that were set aside are found when a slot came back by itself and nobody is left to call them', async () => {
    const [dead, alive] = [await worker(), await worker()];
    const tenant = newId();
    await dead.roll.call();
    expect(await dead.jobs.begin(job(tenant, 1))).toBe(true);
    const waiting = job(tenant, 1);
    expect(await alive.jobs.begin(waiting)).toBe(false);
    expect(await alive.jobs.setAside(waiting)).toBe(false);
    expect(await alive.jobs.forgotten()).toEqual([]);
    const found = await waitFor(
      async () => {
        const forgotten = await alive.jobs.forgotten();
        return forgotten.length > 0 && forgotten;
      },
      { what: 'the lease of the dead to end', timeoutMs: 4 * LOCK_MS },
    );
    const { jobClass, organizationId, jobId } = waiting;
    expect(found).toEqual([{ jobClass, organizationId, jobId }]);
    expect(await alive.jobs.forgotten()).toEqual([]); // called a moment ago
    await waitFor(async () => (await alive.jobs.forgotten()).length > 0, {
      what: 'another call, as if that one was lost',
    });
    expect(await alive.jobs.begin(waiting)).toBe(true);
    expect(await redis.zcard(keys.running(CLASS, tenant)[1])).toBe(0);
  });

  it('a raised limit calls back as many as there is room for', async () => {
    const { jobs } = await worker();
    const tenant = newId();
    const running = job(tenant, 1);
    expect(await jobs.begin(running)).toBe(true);
    const waiting = [job(tenant, 1), job(tenant, 1), job(tenant, 1)];
    for (const each of waiting) {
      expect(await jobs.begin(each)).toBe(false);
      expect(await jobs.setAside(each)).toBe(false);
    }
    const raised = { ...running, limit: 3 };
    await jobs.begin(raised);
    expect(await jobs.done(raised)).toEqual(waiting.map(({ jobId }) => jobId));
  });

  it('the roll forgets who is silent or leaves, and adds up the slots of the others', async () => {
    const [one, two] = [await worker(5), await worker(3)];
    await one.roll.call();
    expect(one.roll.slots(CLASS)).toBe(8);
    expect(one.roll.hasOthers()).toBe(true);
    await two.roll.leave();
    await one.roll.call();
    expect(one.roll.slots(CLASS)).toBe(5);
    await redis.zadd(keys.roll(CLASS), 1, `${newId()} 100 `);
    await one.roll.call();
    expect(one.roll.slots(CLASS)).toBe(5);
  });

  it('the roll says how long jobs take, by the slots of those who ran some', async () => {
    const [one, two, idle] = [await worker(6), await worker(2), await worker(4)];
    expect(await readRoll(redis, keys, CLASS)).toEqual({ slots: 12, workers: 3, serviceMs: null });
    for (let i = 0; i < 500; i += 1) one.roll.served(CLASS, i < 100 ? 1_000 : 10);
    two.roll.served(CLASS, 50);
    await Promise.all([one, two, idle].map(({ roll }) => roll.call()));
    const { slots, serviceMs } = await readRoll(redis, keys, CLASS);
    expect(slots).toBe(12);
    expect(serviceMs).toBeCloseTo((6 * 10 + 2 * 50) / 8, 3);
  });
});
