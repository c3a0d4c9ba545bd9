import { newId } from '#libs/kernel';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/testing';
import { Redis } from 'ioredis';
import { leasesKey, processesKey } from '../src/coordination-keys';
import { Hammer, type HammerOptions, Witness } from './hammer';

const TIMEOUT_MS = 60_000;
const PREFIX = 'processes-test';
const WORKERS = 6;

// A machine that stands still for longer than a lease shows what docs/coordination.md says of stalled processes, no defect.
jest.retryTimes(1, { logErrorsBeforeRetry: true });

describe('the share of a tenant, among processes', () => {
  let server: LocalRedis;
  let witnessServer: LocalRedis;
  let redis: Redis;
  let witnessRedis: Redis;
  let witness: Witness;
  let hammers: Hammer[];
  let tenant: string;

  beforeAll(async () => {
    [server, witnessServer] = await Promise.all([startLocalRedis(), startLocalRedis()]);
    redis = new Redis(server.url);
    redis.on('error', () => undefined); // it is killed on purpose
    witnessRedis = new Redis(witnessServer.url);
    witness = new Witness(witnessRedis);
  });

  beforeEach(() => {
    hammers = [];
    tenant = newId();
  });

  afterEach(async () => {
    for (const hammer of hammers) hammer.kill();
    await Promise.all(hammers.map((hammer) => hammer.ended()));
  });

  afterAll(async () => {
    redis.disconnect();
    witnessRedis.disconnect();
    await Promise.all([server.remove(), witnessServer.remove()]);
  });

  const start = async (count: number, change: Partial<HammerOptions> & Pick<HammerOptions, 'tenants'>) => {
    const servers = { url: server.url, witnessUrl: witnessServer.url };
    const options = { ...servers, prefix: PREFIX, workers: WORKERS, ...change };
    const started = Array.from({ length: count }, () => new Hammer(options));
    hammers.push(...started);
    await waitFor(() => started.every(({ heard }) => heard > 0), { what: 'the processes', timeoutMs: TIMEOUT_MS });
    return started;
  };

  const leased = async () => {
    const records = await redis.hvals(leasesKey(PREFIX, 'share', tenant));
    return records.reduce((sum, record) => sum + Number(record.split(' ')[0]), 0);
  };

  /** Waits until a tenant was given `count` more slots. */
  const work = async (count: number) => {
    const from = await witness.takes(tenant);
    const done = async () => (await witness.takes(tenant)) >= from + count;
    await waitFor(done, { what: `${count} takes`, timeoutMs: TIMEOUT_MS, intervalMs: 10 });
  };

  const stop = async () => {
    for (const hammer of hammers) hammer.stop();
    return Promise.all(hammers.map((hammer) => hammer.ended()));
  };

  it('never runs more than the limit at once, and all come to an end', async () => {
    const limits = [[tenant, 5] as const, [newId(), 2] as const, [newId(), 1] as const];
    const started = await start(4, { tenants: limits, rounds: 40 });
    expect(await Promise.all(started.map((hammer) => hammer.ended()))).toEqual([0, 0, 0, 0]);
    for (const [each, limit] of limits) {
      expect(await witness.greatest(each)).toBe(limit);
      expect(await witness.takes(each)).toBe(4 * WORKERS * 40);
      expect(await witness.running(each)).toBe(0);
    }
  });

  it.each([1, 4])('serves a process that comes late to %i slots which others want all the time', async (limit) => {
    const busy = await start(4, { tenants: [[tenant, limit]] });
    await work(200);
    const [late] = await start(1, { tenants: [[tenant, limit]], workers: 2, rounds: 20 });
    expect(await late!.ended()).toBe(0);
    expect(busy.every(({ running }) => running)).toBe(true);
    expect(await stop()).toEqual([0, 0, 0, 0, 0]);
    expect(await witness.greatest(tenant)).toBe(limit);
  });

  it('gets the slots of a killed process back when its lease ends, and not before', async () => {
    const [victim] = await start(4, { tenants: [[tenant, 4]] });
    await work(200);
    victim!.kill();
    await victim!.ended();
    await work(100);
    expect(await witness.greatest(tenant)).toBe(4); // with what the dead had running counted as running
    await witness.bury(tenant, victim!.name);
    await witness.startOver(tenant);
    const all = async () => (await witness.greatest(tenant)) >= 4;
    await waitFor(all, { what: 'all slots to be in use again', timeoutMs: TIMEOUT_MS });
    await work(200);
    expect(await stop()).toEqual([null, 0, 0, 0]);
    expect(await witness.greatest(tenant)).toBe(4);
  });

  it('keeps to a limit that is lowered under load as soon as fewer are running', async () => {
    const started = await start(4, { tenants: [[tenant, 8]] });
    await work(200);
    expect(await witness.greatest(tenant)).toBe(8);
    for (const hammer of started) hammer.setLimit(tenant, 3);
    await waitFor(() => started.every(({ heard }) => heard > 1), { what: 'all to have heard', intervalMs: 5 });
    // The limit comes with a take: those who waited by then came with the old one.
    const takes = () => Promise.all(started.map(({ name }) => witness.takesOf(tenant, name)));
    const before = await takes();
    const renewed = async () => (await takes()).every((count, index) => count > before[index]! + WORKERS);
    await waitFor(renewed, { what: 'all to have taken with the new limit', timeoutMs: TIMEOUT_MS });
    await waitFor(async () => (await leased()) <= 3, { what: 'fewer to be leased', intervalMs: 5 });
    await witness.startOver(tenant);
    await work(300);
    expect(await stop()).toEqual([0, 0, 0, 0]);
    expect(await witness.greatest(tenant)).toBe(3);
  });

  it('goes on while Redis is killed, within the parts, and keeps to the limit again after its return', async () => {
    const limit = 6;
    await start(4, { tenants: [[tenant, limit]], commandTimeout: 1_000 });
    await work(200);
    await server.kill();
    await work(300);
    expect(await witness.greatest(tenant)).toBeLessThanOrEqual(limit + 4 * Math.ceil(limit / 4));
    await server.start();
    const all = async () => (await redis.zcard(processesKey(PREFIX, 'share'))) === 4;
    await waitFor(all, { what: 'all to be back', timeoutMs: TIMEOUT_MS });
    const exact = async () => {
      await witness.startOver(tenant);
      await work(300);
      return (await witness.greatest(tenant)) <= limit;
    };
    await waitFor(exact, { what: 'the limit to hold again', timeoutMs: TIMEOUT_MS });
    await work(500);
    expect(await stop()).toEqual([0, 0, 0, 0]);
    expect(await witness.greatest(tenant)).toBe(limit);
  });
});
