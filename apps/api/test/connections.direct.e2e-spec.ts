/** How many connections two api processes take: for one tenant, for one node and role, and when the server gives no more. */
import { newId } from '#libs/kernel';
import { createTestCluster, type TestCluster, waitFor } from '#libs/testing';
import { Client } from 'pg';
import {
  type Answer,
  createTenant,
  type RunningApi,
  startApiProcess,
  stockedProduct,
  type Tenant,
} from './support/api-fixture';

const TIMEOUT_MS = 120_000;
const POOL_SIZE = 4;
const SMALL_POOL = 3;
const SHARE = 2;
/** Of a pool, for one tenant. */
const ONE_TENANT = 3;

interface Connections {
  readonly usename: string;
  readonly application_name: string;
  readonly all: number;
  readonly waiting: number;
}

describe('connections', () => {
  let cluster: TestCluster;
  let apis: RunningApi[];
  let greedy: Tenant;
  let other: Tenant;
  let third: Tenant;

  const connections = () =>
    cluster.query<Connections>(
      `select usename, application_name, count(*)::int as all,
         count(*) filter (where wait_event_type = 'Lock')::int as waiting
       from pg_stat_activity where usename like 'stockyard%' group by usename, application_name order by 1`,
    );

  const waiting = async () => (await connections()).reduce((sum, row) => sum + row.waiting, 0);

  /** Adjusts the stock of one product many times at once, over both processes, while somebody else has locked it. */
  const blocked = async (tenant: Tenant, count: number, whileBlocked: () => Promise<void>): Promise<Answer[]> => {
    const { sku, id } = await stockedProduct(apis[0]!, tenant, 10);
    const blocker = new Client({ connectionString: cluster.adminUrl });
    await blocker.connect();
    try {
      await blocker.query('begin');
      await blocker.query('select from stock_levels where product_id = $1 for update', [id]);
      const adjustments = Array.from({ length: count }, (_, index) =>
        tenant.call(apis[index % 2]!, 'POST', '/v1/adjustments', {
          key: newId(),
          body: { reason: 'count', lines: [{ sku, delta: 1 }] },
        }),
      );
      await whileBlocked();
      await blocker.query('rollback');
      return await Promise.all(adjustments);
    } finally {
      await blocker.end();
    }
  };

  beforeAll(async () => {
    const overrides = {
      DATABASE_POOL_SIZE: String(POOL_SIZE),
      DATABASE_POOL_WAIT_MS: '800',
      DATABASE_TENANT_WAIT_MS: '800',
    };
    cluster = await createTestCluster({ standbys: 0, overrides });
    apis = await Promise.all([1, 2].map(() => startApiProcess(cluster)));
    greedy = await createTenant(apis[0]!, cluster, 'enterprise', { max_connections: SHARE });
    other = await createTenant(apis[0]!, cluster, 'enterprise', { max_connections: 1_000 });
    third = await createTenant(apis[0]!, cluster, 'enterprise', { max_connections: 1_000 });
  }, TIMEOUT_MS);

  afterAll(async () => {
    await Promise.all(apis.map((api) => api.stop()));
    await cluster.dispose();
  }, TIMEOUT_MS);

  it(
    'of one tenant are as many as its limit over all processes; the rest is told so, and others are served',
    async () => {
      let settled = 0;
      const most: number[] = [];
      const answers = await blocked(greedy, 24, async () => {
        await waitFor(async () => (await waiting()) === SHARE, { what: 'the share to be used up' });
        const refused = apis.map(async (api) => {
          const answer = await greedy.call(api, 'GET', '/v1/products');
          settled += 1;
          return answer;
        });
        const watched = waitFor(
          async () => {
            most.push(await waiting());
            return settled === refused.length;
          },
          { what: 'refusals', intervalMs: 10 },
        );
        for (const api of apis) expect((await other.call(api, 'GET', '/v1/products')).status).toBe(200);
        for (const { status, body, headers } of await Promise.all(refused)) {
          expect([status, body.code]).toEqual([429, 'limit_exceeded']);
          expect(body).toMatchObject({ limit: 'max_connections', maximum: SHARE });
          expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        }
        await watched;
      });
      expect(Math.max(...most)).toBe(SHARE);
      const done = answers.filter(({ status }) => status === 201);
      expect(done.length).toBeGreaterThanOrEqual(SHARE);
      const others = answers.filter(({ status }) => status !== 201);
      expect(others.map(({ status, body }) => [status, body.limit])).toEqual(
        others.map(() => [429, 'max_connections']),
      );
    },
    TIMEOUT_MS,
  );

  it(
    'of a process leave a quarter to others, whatever the limit of one tenant',
    async () => {
      const answers = await blocked(other, 40, async () => {
        await waitFor(async () => (await waiting()) === 2 * ONE_TENANT, {
          what: 'its part of the pools to be used up',
        });
        for (const api of apis) expect((await third.call(api, 'GET', '/v1/products')).status).toBe(200);
        expect(await waiting()).toBe(2 * ONE_TENANT);
      });
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(2 * ONE_TENANT);
      expect(statuses.filter((status) => status !== 201 && status !== 429)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'of a process to a node are as many as its pools hold, and who finds none is answered 503',
    async () => {
      const used = async () => {
        await waitFor(async () => (await waiting()) === 2 * POOL_SIZE, { what: 'the pools to be used up' });
        for (const api of apis) {
          const answer = await greedy.call(api, 'GET', '/v1/products');
          expect([answer.status, answer.body.code]).toEqual([503, 'database_unavailable']);
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        }
        for (const { usename, all } of await connections()) {
          expect(all).toBeLessThanOrEqual(apis.length * (usename === 'stockyard_app' ? POOL_SIZE : SMALL_POOL));
        }
      };
      let inner: Answer[] = [];
      const outer = await blocked(other, 20, async () => {
        inner = await blocked(third, 20, used);
      });
      const statuses = [...outer, ...inner].map(({ status }) => status);
      expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(2 * POOL_SIZE);
      expect(statuses.filter((status) => ![201, 429, 503].includes(status))).toEqual([]);
      expect((await other.call(apis[0]!, 'GET', '/v1/products')).status).toBe(200);
    },
    TIMEOUT_MS,
  );

  it(
    'that the server does not give are 503 for who finds none, and nothing is left behind',
    async () => {
      await cluster.query('alter role stockyard_app connection limit 2');
      await cluster.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'stockyard_app'");
      const many = () =>
        Promise.all(Array.from({ length: 40 }, (_, index) => other.call(apis[index % 2]!, 'GET', '/v1/products')));
      const during = await many();
      expect(during.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
      await waitFor(async () => (await many()).some(({ status }) => status === 200), {
        what: 'what there is to be used',
      });
      await cluster.query('alter role stockyard_app connection limit -1');
      await waitFor(async () => (await many()).every(({ status }) => status === 200), { what: 'all to be served' });
    },
    TIMEOUT_MS,
  );
});
