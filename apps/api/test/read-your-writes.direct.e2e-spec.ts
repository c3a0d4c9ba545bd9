/**
 * Nobody reads the past: two api processes over one primary and two replicas whose replay stops and goes on, with callers
 * that send their tokens and callers that never heard of them.
 */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '#libs/kernel';
import {
  createTestCluster,
  type LocalPostgresReplica,
  type LocalRedis,
  startLocalRedis,
  type TestCluster,
  waitFor,
  Way,
} from '#libs/testing';
import { Redis } from 'ioredis';
import { createTenant, type RunningApi, startApi, startApiProcess, type Tenant } from './support/api-fixture';
import { FastCaller, routedReads, since } from './support/fast-caller';

const CALLERS = 12;
const PAIRS = 10_000;
const SOME_PAIRS = 600;
/** Of each reader. */
const READS = 1_000;
const TIMEOUT_MS = 240_000;

/** One caller with a row of its own that only it writes. */
interface Worker {
  readonly caller: FastCaller;
  readonly path: string;
  pairs: number;
}

describe('reading after writing', () => {
  let cluster: TestCluster;
  let redis: LocalRedis;
  let apis: RunningApi[];
  let tenant: Tenant;
  let agent: Agent;
  let workers: Worker[];
  let variables: Record<string, string>;
  let replicas: readonly LocalPostgresReplica[];
  const stale: string[] = [];

  const location = async (caller: FastCaller) => {
    const made = await caller.call(apis[0]!, 'POST', '/v1/locations', { code: newId().slice(-12), name: 'spec' });
    return `/v1/locations/${String(made.body.id)}`;
  };

  const newCaller = (sendsTokens: boolean) =>
    FastCaller.create({ api: apis[0]!, env: cluster, tenant, agent }, { sendsTokens });

  const expectOk = ({ status, body }: { status: number; body: unknown }) => {
    if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
  };

  /** Writes through one process, reads through the other, at once and once more. */
  const pair = async (worker: Worker) => {
    const { caller, path, pairs } = worker;
    const [writer, reader] = pairs % 2 === 0 ? apis : apis.toReversed();
    const written = await caller.call(writer!, 'PATCH', path, { name: `n${pairs}` });
    expectOk(written);
    for (const from of [reader!, writer!]) {
      const read = await caller.call(from, 'GET', path);
      expectOk(read);
      if (Number(read.body.version) >= Number(written.body.version)) continue;
      stale.push(`${path}: wrote version ${String(written.body.version)}, read ${String(read.body.version)}`);
    }
    worker.pairs += 1;
  };

  const runPairs = (count: number) =>
    Promise.all(
      workers.map(async (worker) => {
        for (let done = 0; done < Math.ceil(count / CALLERS); done += 1) await pair(worker);
      }),
    );

  const total = () => workers.reduce((sum, { pairs }) => sum + pairs, 0);
  const routed = async () => {
    const [one, two] = await Promise.all(apis.map(routedReads));
    return new Map([...one!.keys(), ...two!.keys()].map((key) => [key, (one!.get(key) ?? 0) + (two!.get(key) ?? 0)]));
  };

  beforeAll(async () => {
    redis = await startLocalRedis();
    cluster = await createTestCluster({ standbys: 1, replicas: 1 });
    replicas = cluster.shards[0]!.nodes.slice(1) as LocalPostgresReplica[];
    // Limits and cache stay where they are: the Redis that keeps the tokens is taken away.
    const [cache, REDIS_URL] = [cluster.config.REDIS_URL, redis.url];
    variables = { ...cluster.variables, REDIS_URL, REDIS_CACHE_URL: cache, REDIS_LIMITS_URL: cache };
    apis = await Promise.all([1, 2].map(() => startApiProcess({ ...cluster, variables })));
    tenant = await createTenant(apis[0]!, cluster);
    agent = new Agent({ keepAlive: true });
    workers = [];
    for (let index = 0; index < CALLERS; index += 1) {
      const caller = await newCaller(index % 2 === 0);
      workers.push({ caller, path: await location(caller), pairs: 0 });
    }
  }, TIMEOUT_MS);

  beforeEach(() => {
    stale.length = 0;
  });

  afterAll(async () => {
    agent.destroy();
    await Promise.all(apis.map((api) => api.stop()));
    await cluster.dispose();
    await redis.remove();
  }, TIMEOUT_MS);

  it(
    `shows every write to who made it, ${PAIRS} times, whether replicas replay or not`,
    async () => {
      const began = await routed();
      await runPairs(PAIRS * 0.5);
      const replaying = await routed();
      expect(since(began, replaying, 'replica')).toBeGreaterThan(0);
      await Promise.all(replicas.map((replica) => replica.pauseReplay()));
      await runPairs(PAIRS * 0.4);
      await replicas[0]!.resumeReplay();
      await runPairs(PAIRS * 0.1);
      await replicas[1]!.resumeReplay();
      expect(stale).toEqual([]);
      expect(total()).toBeGreaterThanOrEqual(PAIRS);
    },
    TIMEOUT_MS,
  );

  it(
    'never shows anybody an older state than before, while another writes and the replicas stop and go on',
    async () => {
      const writer = workers[0]!;
      const readers = await Promise.all([true, true, false, false].map(newCaller));
      const back: string[] = [];
      let [reading, reads] = [true, 0];
      const write = async () => {
        for (let round = 0; reading; round += 1) {
          expectOk(await writer.caller.call(apis[round % 2]!, 'PATCH', writer.path, { name: `m${round}` }));
          await delay(2);
        }
      };
      const read = async (reader: FastCaller) => {
        let newest = 0;
        for (let round = 0; round < READS; round += 1) {
          const answer = await reader.call(apis[round % 2]!, 'GET', writer.path);
          expectOk(answer);
          const version = Number(answer.body.version);
          if (version < newest) back.push(`${newest}, then ${version}`);
          newest = version;
          reads += 1;
        }
      };
      const stopAndGo = async () => {
        const all = readers.length * READS;
        const moves = [0, 1, 0, 1, 1, 0, 1, 0].map((index) => replicas[index]!);
        const paused = new Set<LocalPostgresReplica>();
        for (const [index, replica] of moves.entries()) {
          await waitFor(() => reads >= (all * index) / moves.length, {
            what: 'readers to go on',
            timeoutMs: TIMEOUT_MS,
          });
          if (paused.delete(replica)) await replica.resumeReplay();
          else {
            paused.add(replica);
            await replica.pauseReplay();
          }
        }
      };
      const before = await routed();
      const writing = write();
      await Promise.all([...readers.map(read), stopAndGo()]);
      reading = false;
      await writing;
      expect(back).toEqual([]);
      expect(since(before, await routed(), 'replica')).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'shows every write to who made it although the kept tokens are lost again and again',
    async () => {
      await replicas[0]!.pauseReplay();
      const client = new Redis(redis.url);
      const before = await routed();
      let flushing = true;
      const flush = async () => {
        while (flushing) {
          await client.flushall();
          await delay(20);
        }
      };
      const flushed = flush();
      await runPairs(SOME_PAIRS);
      flushing = false;
      await flushed;
      client.disconnect();
      await replicas[0]!.resumeReplay();
      expect(stale).toEqual([]);
      expect(since(before, await routed(), 'no_token')).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'shows every write to who made it while nobody can ask for kept tokens, and after that',
    async () => {
      await replicas[0]!.pauseReplay();
      const before = await routed();
      await redis.kill();
      await runPairs(SOME_PAIRS);
      const away = await routed();
      await redis.start();
      await runPairs(SOME_PAIRS);
      await replicas[0]!.resumeReplay();
      expect(stale).toEqual([]);
      // Whoever sends no token reads from the primary all that time.
      expect(since(before, away, 'no_token')).toBeGreaterThanOrEqual(SOME_PAIRS);
    },
    TIMEOUT_MS,
  );

  it(
    'shows a write to who made it in a process that alone lost its connection to Redis for a moment',
    async () => {
      const way = new Way(redis.url);
      await way.open();
      const cutOff = await startApi({ ...cluster, variables: { ...variables, REDIS_URL: way.url } });
      const { caller, path } = workers.find((worker) => !worker.caller.sendsTokens)!;
      const readsFromReplica = async () => {
        const before = await routedReads(apis[0]!);
        await caller.call(apis[0]!, 'GET', path);
        return since(before, await routedReads(apis[0]!), 'replica') > 0;
      };
      try {
        for (let round = 0; round < 3; round += 1) {
          await caller.call(cutOff, 'PATCH', path, { name: 'warm' }); // so that it has a share of the tenant's connections
          await waitFor(readsFromReplica, { what: 'the replicas to serve the caller', timeoutMs: TIMEOUT_MS });
          await Promise.all(replicas.map((replica) => replica.pauseReplay()));
          await way.cut();
          const writing = caller.call(cutOff, 'PATCH', path, { name: `c${round}` });
          await delay(100);
          await way.open();
          const written = await writing;
          const read = await caller.call(apis[0]!, 'GET', path);
          expect([written.status, read.body.version]).toEqual([200, written.body.version]);
          await Promise.all(replicas.map((replica) => replica.resumeReplay()));
        }
      } finally {
        await Promise.all(replicas.map((replica) => replica.resumeReplay()));
        await cutOff.stop();
        await way.cut();
      }
    },
    TIMEOUT_MS,
  );
});
