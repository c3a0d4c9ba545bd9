/**
 * Orders go on over failovers of a Postgres under Patroni, which is started as deploy/patroni says: the primary is killed, handed over
 * as planned, and left without its Patroni, so that two take themselves for it for a moment. The api is never restarted and told nothing.
 * No acknowledged order is lost, each is there once, and stock adds up. Prints how long no order was taken.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '#libs/kernel';
import { PatroniCluster, type PatroniNode, type TestEnvironment, waitFor } from '#libs/testing';
import { call, createTenant, type RunningApi, startApi, stockedProduct, type Tenant } from './support/api-fixture';
import { routedReads, since } from './support/fast-caller';

const CUSTOMERS = 4;
const EVERY_MS = 50;
const STOCK = 100_000;
/** Patroni looks once a second here. */
const PATRONI_TURNS_MS = 2_500;
const TIMEOUT_MS = 240_000;

interface Acknowledged {
  readonly id: string;
  readonly atMs: number;
}

describe('orders over failovers under Patroni', () => {
  let cluster: PatroniCluster;
  let env: TestEnvironment;
  let api: RunningApi;
  let tenant: Tenant;
  let sku: string;
  const acknowledged: Acknowledged[] = [];
  const odd: unknown[] = [];
  let longestMs = 0;

  beforeAll(async () => {
    cluster = await PatroniCluster.start();
    env = cluster.environment();
    api = await startApi(env);
    tenant = await createTenant(api, env);
    ({ sku } = await stockedProduct(api, tenant, STOCK));
  }, TIMEOUT_MS);

  afterAll(async () => {
    await api.stop();
    await env.dispose();
    await cluster.remove();
  }, TIMEOUT_MS);

  const body = () => ({ currency: 'GBP', lines: [{ kind: 'goods', sku, quantity: 1 }] });

  /** As a client does: the same key until it is acknowledged. */
  const order = async () => {
    const key = newId();
    for (;;) {
      const began = performance.now();
      const answer = await tenant.call(api, 'POST', '/v1/orders', { key, body: body() });
      longestMs = Math.max(longestMs, performance.now() - began);
      if (answer.status === 201) return void acknowledged.push({ id: answer.body.id, atMs: performance.now() });
      if (answer.status !== 503 && answer.status !== 409) odd.push(answer.body); // 409: its first try still runs
      await pause(EVERY_MS);
    }
  };

  /** Reads with a key of its own: of what it has seen, nobody else's orders tell. */
  const bystander = async () => {
    const made = await tenant.call(api, 'POST', '/v1/api_keys', { body: { name: 'bystander', role: 'viewer' } });
    const authorization = `Bearer ${(made.body as { key: string }).key}`;
    return async (token?: string) => {
      const headers = { authorization, ...(token !== undefined && { 'x-consistency-token': token }) };
      const answer = await call(api, 'GET', '/v1/orders?limit=1', { headers });
      return { status: answer.status, token: answer.headers.get('x-consistency-token') ?? undefined };
    };
  };

  const startOrdering = () => {
    const ended = new AbortController();
    const customers = Array.from({ length: CUSTOMERS }, async () => {
      while (!ended.signal.aborted) {
        await order();
        await pause(EVERY_MS);
      }
    });
    return async () => {
      ended.abort();
      await Promise.all(customers);
    };
  };

  const ordersGoOn = async (count = 20) => {
    const from = acknowledged.length;
    await waitFor(() => acknowledged.length >= from + count, { what: 'orders to go on', timeoutMs: 90_000 });
  };

  /** The longest time between two acknowledged orders since then, milliseconds. */
  const gapSince = (sinceMs: number) => {
    const times = [sinceMs, ...acknowledged.map(({ atMs }) => atMs).filter((atMs) => atMs > sinceMs)];
    return Math.max(...times.slice(1).map((atMs, index) => atMs - times[index]!));
  };

  /** From a fault until orders are taken and the other node is a synchronous standby again. */
  const over = async (fault: (leader: PatroniNode) => Promise<void> | void) => {
    const leader = await cluster.settled();
    await ordersGoOn();
    const beganMs = performance.now();
    await fault(leader);
    await waitFor(
      async () => (await cluster.members()).some(({ name, role }) => role === 'leader' && name !== leader.name),
      { what: 'another leader', timeoutMs: 90_000 },
    );
    await ordersGoOn();
    return { leader, gapMs: gapSince(beganMs) };
  };

  const expectNothingLost = async () => {
    const leader = await cluster.settled();
    const ids = acknowledged.map(({ id }) => id);
    const orders = await cluster.queryAt<{ id: string }>(leader, 'select id from orders where organization_id = $1', [
      tenant.id,
    ]);
    const there = new Set(orders.map(({ id }) => id));
    expect(ids.filter((id) => !there.has(id))).toEqual([]);
    expect(there.size).toBe(ids.length);
    const { body: levels } = await tenant.call(api, 'GET', `/v1/stock_levels?sku=${sku}`);
    const allocated = ids.length;
    expect(levels.data).toMatchObject([{ on_hand: STOCK, allocated, available: STOCK - allocated }]);
    expect(odd).toEqual([]);
  };

  it(
    'are taken again by themselves, and none that was acknowledged is lost',
    async () => {
      const readByBystander = await bystander();
      const { token } = await readByBystander();
      const first = await cluster.settled();
      const make = "select 1 from pg_create_logical_replication_slot('stockyard_move_spec', 'pgoutput')";
      await cluster.queryAt(first, make);
      const stop = startOrdering();
      await first.killPatroni(); // Patroni looks through the slots when it starts, and drops what it may
      await first.start();
      const leads = async () => (await fetch(`${first.restUrl}/primary`)).ok;
      await waitFor(leads, { what: 'Patroni to lead again', timeoutMs: 30_000 });
      await pause(PATRONI_TURNS_MS);
      const slots = "select slot_name from pg_replication_slots where slot_type = 'logical'";
      expect(await cluster.queryAt(first, slots)).toEqual([{ slot_name: 'stockyard_move_spec' }]);

      const killed = await over((leader) => leader.killPostgres());

      const before = await routedReads(api);
      expect((await readByBystander(token)).status).toBe(200);
      expect(since(before, await routedReads(api), 'token_void')).toBeGreaterThan(0); // of the old timeline: the primary's

      const handedOver = await over((leader) => cluster.switchOver(leader));

      const astray = await over((leader) => leader.killPatroni());
      const alone = astray.leader;
      const standby = 'select pg_is_in_recovery() as standby';
      expect(await cluster.queryAt(alone, standby)).toEqual([{ standby: false }]); // takes itself for the primary
      await stop();
      await alone.start();
      await expectNothingLost();
      expect(alone.log).toContain('running pg_rewind'); // what it alone had was never acknowledged
      expect(await cluster.queryAt(alone, standby)).toEqual([{ standby: true }]);

      const seconds = [killed, handedOver, astray].map(({ gapMs }) => (gapMs / 1_000).toFixed(1));
      process.stdout.write(
        `patroni: ${acknowledged.length} orders, none lost; none taken for ${seconds[0]} s after the primary was killed, ` +
          `${seconds[1]} s over a switchover, ${seconds[2]} s after a primary lost its Patroni; ` +
          `longest answer ${(longestMs / 1_000).toFixed(1)} s\n`,
      );
    },
    TIMEOUT_MS,
  );
});
