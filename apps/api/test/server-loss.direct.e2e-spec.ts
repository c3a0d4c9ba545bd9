/**
 * Servers of a shard that are killed, frozen, promoted and brought back while requests run. The api is one process all
 * along: it is never restarted, and nobody tells it anything. Each test has servers of its own, for it uses them up.
 */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '#libs/kernel';
import { createTestCluster, type LocalPostgres, type TestCluster, type TestClusterShard, waitFor } from '#libs/testing';
import {
  call,
  createTenant,
  type RunningApi,
  startApiProcess,
  stockedProduct,
  type Tenant,
} from './support/api-fixture';
import { type FastAnswer, FastCaller, routedReads, since } from './support/fast-caller';
import { Pace } from './support/pace';

const TIMEOUT_MS = 120_000;
const READERS = 6;
/** Everything is noticed within this time, on a machine that does nothing else. */
const NOTICED_MS = 1_000;
const SLACK_MS = 1_000;
interface Read {
  readonly begunMs: number;
  readonly answer: FastAnswer;
}

/** Signals the postmaster and every process that it has started: a server that is frozen as a whole. */
function signalAll(server: LocalPostgres, signal: NodeJS.Signals): void {
  const { pid } = server;
  if (pid === undefined) throw new Error('The server does not run.');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  for (const each of [pid, ...children.map(Number)]) process.kill(each, signal);
}

describe('while servers of a shard come and go', () => {
  let cluster: TestCluster;
  let home: TestClusterShard;
  let api: RunningApi;
  let tenant: Tenant;
  let agent: Agent;
  let writer: FastCaller;
  let readers: { caller: FastCaller; path: string }[];
  let product: { id: string; sku: string };
  let reading: boolean;
  let reads: Read[];
  let adjusted: number;
  let pace: Pace;

  const adjust = (key: string) =>
    writer.call(api, 'POST', '/v1/adjustments', { reason: 'count', lines: [{ sku: product.sku, delta: 1 }] }, key);

  /** Tries until it is acknowledged, as a client would. */
  const adjustAtLast = async () => {
    const key = newId();
    await waitFor(async () => (await adjust(key)).status === 201, {
      what: 'a write to go through',
      timeoutMs: TIMEOUT_MS,
    });
    adjusted += 1;
  };

  const onHand = async () => {
    const { body } = await tenant.call(api, 'GET', `/v1/stock_levels?sku=${product.sku}`);
    return (body as { data: { on_hand: number }[] }).data[0]?.on_hand;
  };

  /** Reads with a key of its own: what is kept for it, nobody else's work moves on. */
  const anotherCaller = async () => {
    const key = await tenant.call(api, 'POST', '/v1/api_keys', { body: { name: 'bystander', role: 'viewer' } });
    const headers = { authorization: `Bearer ${(key.body as { key: string }).key}` };
    return () => call(api, 'GET', '/v1/orders', { headers });
  };

  const startReading = () => {
    [reading, reads] = [true, []];
    pace = Pace.start(api, writer);
    const all = readers.map(async ({ caller, path }) => {
      while (reading) {
        const begunMs = performance.now();
        reads.push({ begunMs, answer: await caller.call(api, 'GET', path) });
      }
    });
    return async () => {
      reading = false;
      await Promise.all([...all, pace.stop()]);
    };
  };

  const readOn = async (count = 200) => {
    const from = reads.length;
    await waitFor(() => reads.slice(from).filter(({ answer }) => answer.status === 200).length >= count, {
      what: 'readers to go on',
      timeoutMs: TIMEOUT_MS,
    });
  };

  /** Bounds of time hold on a machine that keeps its pace; what is not about time holds on every one. */
  const expectInTime = (measured: number, bound: number) => {
    if (pace.isKept) expect(measured).toBeLessThan(bound);
  };

  /** No read fails, but for 503 in the time in which nobody knows, and none waits much longer than that. */
  const expectGoodReads = (lostMs: number) => {
    const failed = reads.filter(({ answer }) => answer.status !== 200);
    expect(failed.filter(({ answer }) => answer.status !== 503).map(({ answer }) => answer)).toEqual([]);
    expectInTime(Math.max(0, ...failed.map(({ begunMs }) => begunMs - lostMs)), NOTICED_MS);
    expectInTime(Math.max(...reads.map(({ answer }) => answer.elapsedMs)), NOTICED_MS + SLACK_MS);
    return failed;
  };

  /** The same, and not even those fail. */
  const expectNoFailure = () => expectInTime(expectGoodReads(performance.now()).length, 1);

  const replicaServes = async (what: string) => {
    const before = await routedReads(api);
    const served = async () => since(before, await routedReads(api), 'replica') > 20;
    await waitFor(served, { what, timeoutMs: TIMEOUT_MS });
  };

  const nodesUp = async () => {
    const text = await (await fetch(`${api.url}/metrics`)).text();
    return [...text.matchAll(/^stockyard_node_up\{[^}]*\} 1$/gm)].length;
  };

  const allUp = (count: number) =>
    waitFor(async () => (await nodesUp()) === count, { what: `${count} nodes to be up`, timeoutMs: TIMEOUT_MS });

  const caughtUp = () => Promise.all([...home.standbys, ...home.replicas].map((node) => node.caughtUp()));

  beforeEach(async () => {
    adjusted = 0;
    cluster = await createTestCluster({ standbys: 1, replicas: 1 });
    home = cluster.shards[0]!;
    api = await startApiProcess(cluster);
    tenant = await createTenant(api, cluster);
    agent = new Agent({ keepAlive: true });
    product = await stockedProduct(api, tenant, 1);
    const context = { api, env: cluster, tenant, agent };
    writer = await FastCaller.create(context);
    readers = [];
    for (let index = 0; index < READERS; index += 1) {
      const caller = await FastCaller.create(context, { sendsTokens: index % 2 === 0 });
      const made = await caller.call(api, 'POST', '/v1/locations', { code: `R${index}`, name: 'spec' });
      readers.push({ caller, path: `/v1/locations/${String(made.body.id)}` });
    }
  }, TIMEOUT_MS);

  afterEach(async () => {
    agent.destroy();
    await api.stop();
    await cluster.dispose();
  }, TIMEOUT_MS);

  it(
    'reads elsewhere when a standby is killed, and there again when it is back',
    async () => {
      const stop = startReading();
      await replicaServes('the replicas to serve');
      const killedMs = performance.now();
      await home.replicas[0]!.kill('SIGKILL');
      await allUp(2);
      await readOn();
      await home.replicas[0]!.start();
      await allUp(3);
      await readOn();
      await stop();
      expectGoodReads(killedMs);
    },
    TIMEOUT_MS,
  );

  it(
    'reads from the primary when every standby is frozen, and from them again when they are not',
    async () => {
      const stop = startReading();
      await replicaServes('the replicas to serve');
      const frozenMs = performance.now();
      const frozen = home.nodes.slice(1);
      for (const node of frozen) signalAll(node, 'SIGSTOP');
      try {
        await allUp(1);
        expectInTime(performance.now() - frozenMs, NOTICED_MS + SLACK_MS);
        await readOn();
      } finally {
        for (const node of frozen) signalAll(node, 'SIGCONT');
      }
      await allUp(3);
      await replicaServes('the replicas to serve again');
      await stop();
      expectNoFailure();
    },
    TIMEOUT_MS,
  );

  it(
    'goes on when single connections are ended by the server',
    async () => {
      const stop = startReading();
      await readOn();
      const ends =
        "select count(pg_terminate_backend(pid)) as ended from pg_stat_activity where usename = 'stockyard_app'";
      const writes: FastAnswer[] = [];
      for (let round = 0; round < 3; round += 1) {
        await Promise.all(home.nodes.map((node) => node.query(ends)));
        await readOn(50);
        writes.push(await adjust(newId()));
      }
      await stop();
      adjusted += writes.length;
      expect(writes.map(({ status }) => status)).toEqual([201, 201, 201]);
      expectNoFailure();
    },
    TIMEOUT_MS,
  );

  /** Reads on without a primary, refuses writes at once, and writes again after a promotion. */
  const losesItsPrimary = async () => {
    for (let round = 0; round < 20; round += 1) await adjustAtLast();
    const bystander = await anotherCaller(); // has seen the old timeline, and writes nothing on the new one
    expect((await bystander()).status).toBe(200);
    const stop = startReading();
    await readOn();
    await caughtUp();
    const killedMs = performance.now();
    await home.primary.kill('SIGKILL');
    const began = await routedReads(api);
    await waitFor(async () => (await adjust(newId())).status === 503, {
      what: 'the loss to be noticed',
      intervalMs: 5,
    });
    await delay(NOTICED_MS);
    const refused = await Promise.all(Array.from({ length: 10 }, () => adjust(newId())));
    for (const { status, body, headers, elapsedMs } of refused) {
      expect([status, body.code, Number(headers['retry-after']) > 0]).toEqual([503, 'database_unavailable', true]);
      expectInTime(elapsedMs, NOTICED_MS);
    }
    await readOn();
    expect(since(began, await routedReads(api), 'no_primary')).toBeGreaterThan(0);
    const resumed = Promise.all(Array.from({ length: 8 }, adjustAtLast));
    await home.standbys[0]!.promote();
    await resumed;
    await readOn();
    await stop();
    expectGoodReads(killedMs);
    const promoted = await routedReads(api);
    expect((await bystander()).status).toBe(200);
    if (pace.isKept) expect(since(promoted, await routedReads(api), 'token_void')).toBe(1);
    expect(await onHand()).toBe(1 + adjusted);
  };

  /** Never writes to the old primary when that is back, nor reads what is written there. */
  const meetsTheOldPrimary = async () => {
    const [old] = home.nodes;
    const astray = "update locations set name = 'astray', version = version + 1000 returning id";
    await old!.start();
    await old!.query(astray, [], 'stockyard');
    for (let segment = 0; segment < 3; segment += 1) {
      await old!.query('select pg_switch_wal()'); // further than the new one's log
      await old!.query("update locations set name = 'astray'", [], 'stockyard');
    }
    await home.replicas[0]!.caughtUp(); // with the old primary, which it still follows
    const stop = startReading();
    await allUp(3);
    for (let round = 0; round < 20; round += 1) await adjustAtLast();
    await readOn();
    await stop();
    expectGoodReads(performance.now());
    expect(reads.filter(({ answer }) => answer.body.name === 'astray')).toHaveLength(0);
    const levels = 'select on_hand from stock_levels where organization_id = $1';
    const [there] = await old!.query<{ on_hand: string }>(levels, [tenant.id], 'stockyard');
    expect(Number(there!.on_hand)).toBeLessThan(1 + adjusted);
    expect(await onHand()).toBe(1 + adjusted);
  };

  /** Reads from the old primary once it has become a standby of the new one. */
  const takesTheOldPrimaryBack = async () => {
    const stop = startReading();
    await home.rejoin();
    await allUp(3);
    await adjustAtLast();
    for (const { caller, path } of readers) await caller.call(api, 'PATCH', path, { name: 'after' });
    await replicaServes('the replicas to serve');
    await stop();
    expectGoodReads(performance.now());
    expect(reads[reads.length - 1]!.answer.body.name).toBe('after');
    expect(await onHand()).toBe(1 + adjusted);
  };

  it(
    'reads on without a primary, writes again after a promotion, and shuns the old primary until it is a standby',
    async () => {
      await losesItsPrimary();
      await meetsTheOldPrimary();
      await takesTheOldPrimaryBack();
    },
    3 * TIMEOUT_MS,
  );
});
