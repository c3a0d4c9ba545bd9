import { Logger } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { redisKey, redisOptions } from '#libs/redis';
import { type LocalRedis, startLocalRedis, waitFor } from '#libs/testing';
import { Redis, type RedisOptions } from 'ioredis';
import { type Check, POLICIES, type PolicyName, type Verdict } from './policy';
import { RedisThrottlerStorage } from './redis-throttler.storage';
import { MOST_IN_A_CALL } from './take-batch';

const PREFIX = 'batch-test';
const CONFIG = { REDIS_KEY_PREFIX: PREFIX, RATE_LIMIT_MEMORY_MS: 3_600_000 };

describe('rate limits of one turn of the event loop', () => {
  let server: LocalRedis;
  let redis: Redis;
  let storage: RedisThrottlerStorage;

  /** A busy machine is not what most tests are about: they wait for Redis longer than the product does. */
  const connect = async (change: RedisOptions = { commandTimeout: 10_000 }) => {
    redis = new Redis(server.url, { ...redisOptions('fast'), ...change });
    redis.on('error', () => undefined);
    await waitFor(() => redis.status === 'ready', { what: 'Redis', intervalMs: 5 });
    storage = new RedisThrottlerStorage(redis, CONFIG, { count: 1 });
    await storage.take(checksOf(newId(), { api: 1 })); // the server knows the script from here on
  };

  beforeAll(async () => {
    Logger.overrideLogger(false);
    server = await startLocalRedis();
  });

  beforeEach(async () => {
    await server.start();
    await connect();
  });

  afterEach(() => redis.disconnect());

  afterAll(async () => {
    await server.remove();
    Logger.overrideLogger(true);
  });

  const checksOf = (organization: string, limits: Partial<Record<PolicyName, number>>): Check[] =>
    (Object.entries(limits) as [PolicyName, number][]).map(([name, limit]) => ({
      policy: POLICIES[name],
      limit,
      key: redisKey(PREFIX, 'limits', organization, name),
    }));
  const takeAll = (requests: readonly Check[][]): Promise<Verdict[]> =>
    Promise.all(requests.map((checks) => storage.take(checks)));
  const used = (verdicts: readonly Verdict[]): number[][] =>
    verdicts.map(({ measures }) => measures.map((measure) => measure.used));
  const admitted = (verdicts: readonly Verdict[]): boolean[] => verdicts.map((verdict) => verdict.admitted);
  /** Numbers of requests in each command sent since. */
  const sizes = (sent: jest.SpiedFunction<Redis['sendCommand']>): number[] =>
    sent.mock.calls.map(([{ name, args }]) => {
      expect(name).toBe('evalsha');
      return String(args[2 + Number(args[1])]).length;
    });

  it('are one command, whatever the policies, and each is told its own', async () => {
    const shapes: Partial<Record<PolicyName, number>>[] = [
      { api: 100, api_calls_per_hour: 6_000 },
      { auth: 5 },
      { api: 100, api_calls_per_hour: 6_000, export: 10 },
      { api: 1_000, api_calls_per_hour: 6_000 },
      { api: 100, auth: 5 },
      { bulk: 5 },
      { auth: 5 },
      { api: 100, api_calls_per_hour: 6_000 },
    ];
    const requests = shapes.map((limits) => checksOf(newId(), limits));
    const sent = jest.spyOn(redis, 'sendCommand');
    const verdicts = await takeAll(requests);
    expect(sizes(sent)).toEqual([requests.length]);
    verdicts.forEach(({ measures, ...verdict }, index) => {
      expect(verdict).toEqual({ admitted: true, by: 'redis' });
      expect(measures.map(({ check }) => check)).toEqual(requests[index]);
      for (const { check, used: units, resetMs } of measures) {
        const { window, windowMs } = check.policy;
        expect(units).toBe(1);
        expect(resetMs).toBeGreaterThan(window === 'aligned' ? 0 : windowMs - 1);
        expect(resetMs).toBeLessThanOrEqual(windowMs + (window === 'sliding' ? windowMs / 60 : 0));
      }
    });
    // All of it was counted, and each under its own key.
    expect(used(await takeAll(requests))).toEqual(requests.map((checks) => checks.map(() => 2)));
  });

  it('are together whatever callback of the turn they come from, and apart in different turns', async () => {
    const api = checksOf(newId(), { api: 100 });
    const sent = jest.spyOn(redis, 'sendCommand');
    const inCallback = () =>
      new Promise<Verdict>((resolve, reject) => {
        setImmediate(() => {
          storage.take(api).then(resolve, reject);
        });
      });
    expect(used(await Promise.all([inCallback(), inCallback(), inCallback()]))).toEqual([[1], [2], [3]]);
    await storage.take(api);
    expect(sizes(sent)).toEqual([3, 1]);
  });

  it('see each other in the order in which they were asked', async () => {
    const organization = newId();
    const [address] = checksOf(organization, { auth: 3 }) as [Check];
    const [api] = checksOf(organization, { api: 4 }) as [Check];
    const [exports] = checksOf(organization, { export: 2 }) as [Check];
    const verdicts = await takeAll([
      [address],
      [api, exports],
      [api, address],
      [address],
      [address], // one too many
      [api, exports],
      [api, exports], // the export is one too many
      [api, address], // the address is
      [api],
      [api], // one too many
    ]);
    expect(admitted(verdicts)).toEqual([true, true, true, true, false, true, false, false, true, false]);
    expect(used(verdicts)).toEqual([[1], [1, 1], [2, 2], [3], [3], [3, 2], [3, 2], [3, 3], [4], [4]]);
  });

  it('cost nothing where they are refused, next to others that are admitted', async () => {
    const [poor, rich] = [newId(), newId()];
    const ofPoor = checksOf(poor, { api: 100, api_calls_per_hour: 100, export: 2 });
    const ofRich = checksOf(rich, { api: 100, api_calls_per_hour: 100, export: 50 });
    const verdicts = await takeAll(Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? ofPoor : ofRich)));
    expect(admitted(verdicts)).toEqual([true, true, true, true, false, true, false, true, false, true]);
    const [poorNow, richNow] = await takeAll([ofPoor.slice(0, 2), ofRich.slice(0, 2)]);
    expect(used([poorNow!, richNow!])).toEqual([
      [3, 3],
      [6, 6],
    ]);
    const attempts = checksOf(newId(), { auth: 3 });
    expect(admitted(await takeAll(Array.from({ length: 9 }, () => attempts)))).toEqual([
      ...[true, true, true],
      ...Array.from({ length: 6 }, () => false),
    ]);
    expect((await storage.take([{ ...attempts[0]!, limit: 4 }])).measures[0]!.used).toBe(4);
  });

  it('are several commands where they are many, and counted in order all the same', async () => {
    const checks = checksOf(newId(), { api: 1_000, export: 1_000 });
    const sent = jest.spyOn(redis, 'sendCommand');
    const count = 3 * MOST_IN_A_CALL + 1;
    const verdicts = await takeAll(Array.from({ length: count }, () => checks));
    expect(sizes(sent)).toEqual([MOST_IN_A_CALL, MOST_IN_A_CALL, MOST_IN_A_CALL, 1]);
    expect(used(verdicts)).toEqual(Array.from({ length: count }, (_, index) => [index + 1, index + 1]));
    sent.mockClear();
    // As many different limits as a command takes requests.
    const unlike = Array.from({ length: MOST_IN_A_CALL }, (_, index) =>
      checksOf(newId(), { api: 1 + index, auth: 2 + index }),
    );
    expect(used(await takeAll(unlike))).toEqual(unlike.map(() => [1, 1]));
    expect(sizes(sent)).toEqual([MOST_IN_A_CALL]);
    expect(admitted(await takeAll(unlike))).toEqual(unlike.map((_, index) => index > 0));
  });

  it('are all counted locally when Redis does not answer, within 50 ms, or refused where they are too dear; then at once', async () => {
    redis.disconnect();
    await connect({});
    const organizations = Array.from({ length: MOST_IN_A_CALL + 8 }, newId);
    const cheap = organizations.map((organization) => checksOf(organization, { api: 100 }));
    const dear = organizations.slice(0, 2).map((organization) => checksOf(organization, { api: 100, export: 5 }));
    await waitFor(async () => (await storage.take(cheap[0]!)).by === 'redis', { what: 'Redis to count' });
    const sent = jest.spyOn(redis, 'sendCommand');
    await server.kill('SIGSTOP');
    const began = performance.now();
    const [verdicts, refusals] = await Promise.all([
      takeAll(cheap),
      Promise.allSettled(dear.map((checks) => storage.take(checks))),
    ]);
    expect(performance.now() - began).toBeLessThan(150); // 50 ms and the scheduling of a busy machine
    expect(sizes(sent)).toEqual([MOST_IN_A_CALL, 10]);
    expect(new Set(verdicts.map(({ by }) => by))).toEqual(new Set(['insurance']));
    expect(used(verdicts)).toEqual(cheap.map(() => [1])); // each once
    for (const refusal of refusals)
      expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'rate_limits_unavailable' } });
    // One of a turn tries at most, and holds up none of the others.
    sent.mockClear();
    const again = performance.now();
    await takeAll(cheap.slice(1));
    expect(sizes(sent).reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1);
    expect(performance.now() - again).toBeLessThan(150);
    await server.kill('SIGCONT');
    await waitFor(() => storage.take(dear[0]!), { what: 'Redis to count again' });
    expect(new Set((await takeAll(cheap)).map(({ by }) => by))).toEqual(new Set(['redis']));
  });

  it('get an answer each when Redis dies with them under way', async () => {
    const organizations = Array.from({ length: 2 * MOST_IN_A_CALL + 5 }, newId);
    const requests = organizations.map((organization) => checksOf(organization, { api: 100 }));
    await server.kill('SIGSTOP'); // so that it has the commands and will not answer
    const sent = jest.spyOn(redis, 'sendCommand');
    const pending = takeAll(requests);
    await waitFor(() => sent.mock.calls.length === 3, { what: 'the commands to be sent', intervalMs: 1 });
    await server.kill('SIGKILL');
    const verdicts = await pending;
    expect(verdicts.map(({ by, admitted: is }) => ({ by, is }))).toEqual(
      requests.map(() => ({ by: 'insurance', is: true })),
    );
    expect(storage.insured).toBe(true);
  });
});
