import { Logger } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { redisOptions } from '#libs/redis';
import type { ReleaseSlot } from '#libs/tenancy';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/testing';
import { Redis, type RedisOptions } from 'ioredis';
import { leasesKey, processesKey } from '../coordination-keys';
import { RedisTenantShare } from './redis-tenant-share';

const PREFIX = 'share-test';
const PATIENT_MS = 30_000;

/** A share as a process has it, with the client it talks through. */
interface Member {
  readonly share: RedisTenantShare;
  readonly redis: Redis;
  take(limit: number): Promise<ReleaseSlot>;
}

describe('the share of a tenant', () => {
  let server: LocalRedis;
  let members: Member[];
  let tenant: string;

  beforeAll(async () => {
    server = await startLocalRedis();
  });

  beforeEach(async () => {
    members = [];
    tenant = newId();
    await server.start();
    jest.spyOn(Logger.prototype, 'log').mockReturnValue();
  });

  afterEach(async () => {
    for (const { share, redis } of members) {
      await share.beforeApplicationShutdown();
      share.onApplicationShutdown();
      redis.disconnect();
    }
    jest.restoreAllMocks();
  });

  afterAll(() => server.remove());

  /** A busy machine is not what most tests are about: they wait for Redis longer than the product does. */
  const join = async (
    waitMs = PATIENT_MS,
    change: RedisOptions = { commandTimeout: 10_000 },
    poolSize = 1_000,
  ): Promise<Member> => {
    const redis = new Redis(server.url, { ...redisOptions('fast'), ...change });
    redis.on('error', () => undefined);
    await waitFor(() => redis.status === 'ready', { what: 'Redis', intervalMs: 5 });
    const share = new RedisTenantShare(redis, {
      REDIS_KEY_PREFIX: PREFIX,
      DATABASE_TENANT_WAIT_MS: waitMs,
      DATABASE_POOL_SIZE: poolSize,
    });
    share.onModuleInit();
    const member = { share, redis, take: async (limit: number) => share.take(tenant, limit) };
    members.push(member);
    return member;
  };

  const acquainted = () =>
    waitFor(() => members.every(({ share }) => share.snapshot().processes === members.length), {
      what: 'the processes to know of each other',
    });

  const onRecord = async ({ redis }: Member) => {
    const records = await redis.hvals(leasesKey(PREFIX, 'share', tenant));
    return records.reduce((sum, record) => sum + Number(record.split(' ')[0]), 0);
  };

  it('gives a held slot at once and without any call', async () => {
    const { share, redis, take } = await join();
    (await take(4))();
    const sent = jest.spyOn(redis, 'sendCommand');
    for (let i = 0; i < 10_000; i += 1) {
      const release = share.take(tenant, 4);
      if (release instanceof Promise) throw new Error('A held slot was not given at once.');
      release();
    }
    await new Promise(setImmediate); // whatever they asked for would have left by now
    const names = sent.mock.calls.map(([command]) => command.name);
    expect(names.length).toBeLessThanOrEqual(2); // a renewal of the whole process may fall in between
    expect(share.snapshot()).toMatchObject({ inUse: 0, waits: 1, refusals: 0 });
  });

  it('serves in order of arrival, never more than the limit, and counts', async () => {
    const { share, take } = await join();
    const held = await Promise.all([take(2), take(2)]);
    const order: number[] = [];
    const waiting = [1, 2, 3, 4].map(async (number) => {
      const release = await take(2);
      order.push(number);
      return release;
    });
    expect(share.snapshot()).toMatchObject({ tenants: 1, leased: 2, inUse: 2, waiting: 4 });
    for (const release of held) release();
    for (const each of waiting) (await each)();
    expect(order).toEqual([1, 2, 3, 4]);
    expect(share.snapshot()).toMatchObject({ inUse: 0, waiting: 0, waits: 6 });
  });

  it('leaves a quarter of the pool of its process to others, and the rest of the limit to other processes', async () => {
    const [one, two] = [await join(PATIENT_MS, undefined, 4), await join(PATIENT_MS, undefined, 4)];
    await acquainted();
    const taken = { one: 0, two: 0 };
    const held: ReleaseSlot[] = [];
    const ask = (member: Member, name: 'one' | 'two') =>
      void member.take(7).then((release) => {
        taken[name] += 1;
        held.push(release);
      });
    for (let i = 0; i < 6; i += 1) ask(one, 'one');
    await waitFor(() => taken.one === 3, { what: 'three quarters' });
    for (let i = 0; i < 6; i += 1) ask(two, 'two');
    await waitFor(() => taken.two === 3, { what: 'three quarters of the other' });
    expect(one.share.snapshot()).toMatchObject({ inUse: 3, leased: 3, waiting: 3 });
    for (let i = 0; i < 12; i += 1) {
      await waitFor(() => held.length > 0, { what: 'a slot' });
      held.shift()!();
      expect(one.share.snapshot().inUse).toBeLessThanOrEqual(3);
    }
    expect(taken).toEqual({ one: 6, two: 6 });
  });

  it('counts a release once', async () => {
    const { share, take } = await join();
    const [one] = await Promise.all([take(2), take(2)]);
    one();
    one();
    expect(share.snapshot().inUse).toBe(1);
  });

  it('refuses after the wait, naming limit and maximum, in every process', async () => {
    const [holder, other] = [await join(), await join(200)];
    await Promise.all([holder.take(2), holder.take(2)]);
    await expect(other.take(2)).rejects.toMatchObject({
      code: 'limit_exceeded',
      category: 'limited',
      details: { limit: 'max_connections', maximum: 2 },
      retryAfterSeconds: 1,
    });
    expect(other.share.snapshot()).toMatchObject({ waiting: 0, inUse: 0, refusals: 1 });
  });

  it('passes what is idle in one process to another that needs it, at once', async () => {
    const [holder, other] = [await join(), await join()];
    for (const release of await Promise.all([holder.take(4), holder.take(4), holder.take(4), holder.take(4)]))
      release();
    expect(await onRecord(holder)).toBe(4);
    const begun = performance.now();
    await Promise.all([other.take(4), other.take(4), other.take(4)]);
    expect(performance.now() - begun).toBeLessThan(900); // before a renewal would have told
  });

  it('passes slots with their release, as soon as another process waits', async () => {
    const [holder, other] = [await join(), await join()];
    const held = await Promise.all([holder.take(2), holder.take(2)]);
    const waiting = other.take(2);
    await waitFor(async () => (await holder.redis.hlen(leasesKey(PREFIX, 'share', tenant))) === 2, {
      what: 'the other to ask',
    });
    held[0]();
    (await waiting)();
    held[1]();
  });

  it('grants nothing after the limit was lowered until fewer are out, and more when it is raised', async () => {
    const [one, two] = [await join(), await join()];
    const held = await Promise.all([one.take(4), one.take(4), two.take(4), two.take(4)]);
    let served = 0;
    const late = [one, two, one, two].map(async ({ take }) => {
      const release = await take(2);
      served += 1;
      return release;
    });
    held[0]();
    held[2]();
    await waitFor(async () => (await onRecord(one)) === 2, { what: 'two leases left' });
    expect(served).toBe(0);
    const raised = await Promise.all([...late, one.take(8), two.take(8)]);
    expect(await onRecord(one)).toBe(8);
    for (const release of [...raised, held[1], held[3]]) release();
  });

  it('forgets tenants that are idle, here and in Redis', async () => {
    const { share, redis, take } = await join();
    (await take(3))();
    await waitFor(() => share.snapshot().tenants === 0, { what: 'the tenant to be forgotten' });
    expect(await redis.exists(leasesKey(PREFIX, 'share', tenant))).toBe(0);
  });

  it('gives everything back on shutdown: what is idle at once, what is in use with its release', async () => {
    const leaving = await join();
    const [one, two] = await Promise.all([leaving.take(3), leaving.take(3)]);
    one();
    await leaving.share.beforeApplicationShutdown();
    expect(await onRecord(leaving)).toBe(1);
    expect(await leaving.redis.zcard(processesKey(PREFIX, 'share'))).toBe(0);
    two();
    await waitFor(async () => (await onRecord(leaving)) === 0, { what: 'the last slot to be given back' });
  });

  it('registers what is in use anew when Redis has lost its data, and takes no more than its part meanwhile', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const [one, two] = [await join(), await join()];
    await acquainted();
    const held = await Promise.all([one.take(4), one.take(4), one.take(4)]);
    await one.redis.flushall();
    await waitFor(async () => (await onRecord(one)) >= 3, { what: 'the slots in use to be registered' });
    const wanted = [two.take(4), two.take(4), two.take(4)];
    held.push(await Promise.race(wanted));
    await waitFor(async () => (await two.redis.hlen(leasesKey(PREFIX, 'share', tenant))) === 2, {
      what: 'both on record',
    });
    expect(two.share.snapshot().inUse).toBeLessThanOrEqual(2); // of 4, among 2 processes
    for (const release of held.slice(0, 3)) release();
    for (const release of await Promise.all(wanted)) release();
    await waitFor(async () => (await onRecord(one)) <= 4, { what: 'the limit to hold again' });
  });

  it.each([['killed', 'SIGKILL'] as const, ['frozen', 'SIGSTOP'] as const])(
    'keeps to its part while Redis is %s, without refusing or hanging, and counts together again afterwards',
    async (_how, signal) => {
      const warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
      const [one, two] = [await join(5_000, {}), await join(5_000, {})];
      await acquainted();
      const before = await one.take(3);
      warned.mockClear();
      await server.kill(signal);
      // Parts of 3 among 2 processes: 2 each.
      const meanwhile = await Promise.all([one.take(3), two.take(3), two.take(3)]);
      let beyond = 0;
      const waiting = [one, two].map(async ({ take }) => {
        const release = await take(3);
        beyond += 1;
        return release;
      });
      await Promise.resolve();
      expect(beyond).toBe(0);
      expect(warned.mock.calls.length).toBeLessThanOrEqual(2); // one a process
      await server.kill('SIGCONT');
      await server.start();
      await waitFor(async () => (await onRecord(one)) === 4, { what: 'what is in use to be registered' });
      for (const release of [before, ...meanwhile]) release();
      for (const each of waiting) (await each)();
      await waitFor(async () => (await onRecord(one)) <= 3, { what: 'the limit to hold again' });
    },
  );
});
