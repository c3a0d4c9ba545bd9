/** What a process takes on at once, for each tenant and in all, and what those see for whom there is no room. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { Client } from 'pg';
import {
  type Answer,
  call,
  createTenant,
  type RunningApi,
  startApi,
  stockedProduct,
  type Tenant,
} from './support/api-fixture';

/** With this maximum the adaptive limit has nowhere to go. */
const PLACES = 8;
/** Of a process, for one tenant. */
const ONE_TENANT = 6;
const QUEUE = 2;

describe('Admission', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let lock: Client;
  const held: Promise<Answer>[] = [];

  beforeAll(async () => {
    env = await createTestEnvironment({
      ADMISSION_MAX_CONCURRENCY: String(PLACES),
      ADMISSION_QUEUE: String(QUEUE),
      ADMISSION_WAIT_MS: '400',
      DATABASE_POOL_SIZE: '20',
      USAGE_FLUSH_MS: '200',
    });
    api = await startApi(env);
    lock = new Client(env.adminUrl);
    await lock.connect();
  });

  afterEach(async () => {
    await lock.query('rollback');
    await Promise.all(held.splice(0));
  });

  afterAll(async () => {
    await lock.end();
    await api.stop();
    await env.dispose();
  });

  const gauge = async (line: string): Promise<number> => {
    const { body } = await call(api, 'GET', '/metrics');
    const found = (body as string).split('\n').find((one) => one.startsWith(`${line} `));
    return found ? Number(found.slice(line.length + 1)) : NaN;
  };
  const inFlight = (priority = 'interactive') => gauge(`stockyard_admission_in_flight{priority="${priority}"}`);
  const usage = async (tenant: Tenant, metric: string): Promise<number> => {
    const rows = await env.query<{ value: string }>(
      'select sum(value) as value from tenant_usage where organization_id = $1 and metric = $2',
      [tenant.id, metric],
    );
    return Number(rows[0]?.value ?? 0);
  };

  /** Requests of a tenant that stay under way until the spec is over: they change a product whose row is locked. */
  async function occupy(tenant: Tenant, count: number): Promise<void> {
    const { id } = await stockedProduct(api, tenant, 1);
    const before = await inFlight();
    await lock.query('begin');
    await lock.query('select 1 from products where id = $1 for update', [id]);
    for (let i = 0; i < count; i += 1)
      held.push(tenant.call(api, 'PATCH', `/v1/products/${id}`, { body: { name: `Name ${i}` } }));
    await waitFor(async () => (await inFlight()) === before + count, { what: `${count} requests to be under way` });
  }

  const read = (tenant: Tenant) => tenant.call(api, 'GET', '/v1/products?limit=1');
  const overloaded = (priority: string) => ({
    code: 'overloaded',
    limit: 'concurrency',
    maximum: PLACES,
    remaining: 0,
    priority,
    retry_after: 1,
  });

  it('refuses a tenant more than max_concurrent_requests, and nobody else', async () => {
    const [noisy, quiet] = [
      await createTenant(api, env, 'enterprise', { max_concurrent_requests: 2 }),
      await createTenant(api, env),
    ];
    await occupy(noisy, 2);
    const beyond = Array.from({ length: 10 }, () => read(noisy));
    expect((await read(quiet)).status).toBe(200);
    const refused = await Promise.all(beyond);
    for (const { status, headers, body } of refused) {
      expect(status).toBe(429);
      expect(headers.get('retry-after')).toBe('1');
      expect(body).toMatchObject({ code: 'limit_exceeded', limit: 'max_concurrent_requests', maximum: 2 });
    }
    expect(await inFlight()).toBe(2);
    await waitFor(async () => (await usage(noisy, 'rate_limit_exceeded_concurrency')) === 10, { what: 'the refusals' });
    await lock.query('rollback');
    for (const { status } of await Promise.all(held.splice(0))) expect(status).toBe(200);
    expect((await read(noisy)).status).toBe(200);
  });

  it('refuses who would wait in vain by the head of the request, before it has used up anything', async () => {
    const noisy = await createTenant(api, env, 'enterprise', { max_concurrent_requests: 2 });
    const remaining = async (): Promise<number> => Number((await read(noisy)).headers.get('x-ratelimit-remaining'));
    const before = await remaining();
    await occupy(noisy, 2);
    const line = [read(noisy)];
    await delay(200);
    line.push(read(noisy), read(noisy));
    expect((await line[0]!).status).toBe(429); // it has waited, and so do the others
    const hopeless = await Promise.all(Array.from({ length: 50 }, () => read(noisy)));
    for (const { status, headers, body } of hopeless) {
      expect([status, headers.get('retry-after')]).toEqual([429, '1']);
      expect(body).toMatchObject({ code: 'limit_exceeded', limit: 'max_concurrent_requests', maximum: 2 });
    }
    await Promise.all(line);
    await waitFor(async () => (await usage(noisy, 'rate_limit_exceeded_concurrency')) >= 51, { what: 'the refusals' });
    await lock.query('rollback');
    for (const { status } of await Promise.all(held.splice(0))) expect(status).toBe(200);
    const used = before - (await remaining());
    expect(used).toBeGreaterThan(3);
    expect(used).toBeLessThan(30); // the others were refused before they counted
  });

  it('keeps room beside one tenant, and lets others in before its waiting requests', async () => {
    const [noisy, quiet] = [await createTenant(api, env), await createTenant(api, env)];
    await occupy(noisy, ONE_TENANT);
    const waiting = read(noisy);
    await waitFor(async () => (await gauge('stockyard_admission_waiting{priority="interactive"}')) === 1, {
      what: 'one to wait',
    });
    const answers = await Promise.all([read(quiet), read(quiet)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const late = await waiting;
    expect(late.status).toBe(503);
    expect(late.headers.get('retry-after')).toBe('1');
    expect(late.body).toMatchObject(overloaded('interactive'));
    await waitFor(async () => (await usage(noisy, 'requests_shed')) === 1, { what: 'it to be counted' });
  });

  describe('when every place is taken', () => {
    let tenants: Tenant[];

    beforeEach(async () => {
      tenants = await Promise.all([1, 2, 3].map(() => createTenant(api, env)));
      const { id } = await stockedProduct(api, tenants[1]!, 1);
      await occupy(tenants[0]!, ONE_TENANT);
      await lock.query('select 1 from products where id = $1 for update', [id]);
      for (let i = ONE_TENANT; i < PLACES; i += 1)
        held.push(tenants[1]!.call(api, 'PATCH', `/v1/products/${id}`, { body: { name: 'Other' } }));
      await waitFor(async () => (await inFlight()) === PLACES, { what: 'all places to be taken' });
    });

    it('sheds reports before reads, and answers operators and probes', async () => {
      const [, , quiet] = tenants;
      const report = quiet!.call(api, 'POST', '/v1/exports', { body: { resource: 'products', format: 'csv' } });
      await waitFor(async () => (await gauge('stockyard_admission_waiting{priority="report"}')) === 1, {
        what: 'the report to wait',
      });
      const reads = [read(quiet!), read(quiet!)];
      const shed = await report;
      expect(shed.status).toBe(503);
      expect(shed.body).toMatchObject(overloaded('report'));
      for (const path of ['/live', '/ready', '/health', '/metrics'])
        expect((await call(api, 'GET', path)).status).toBe(200);
      const operator = { headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` } };
      expect((await call(api, 'GET', '/v1/admin/shards', operator)).status).toBe(200);
      await lock.query('rollback');
      expect((await Promise.all(reads)).map(({ status }) => status)).toEqual([200, 200]);
    });

    it('takes back place and slot of a client that went away while it waited', async () => {
      const quiet = await createTenant(api, env, 'enterprise', { max_concurrent_requests: 1 });
      const socket = rawRead(quiet);
      await waitFor(async () => (await gauge('stockyard_admission_waiting{priority="interactive"}')) === 1, {
        what: 'it to wait',
      });
      socket.destroy();
      await lock.query('rollback');
      await Promise.all(held.splice(0));
      await waitFor(async () => (await inFlight()) === 0, { what: 'every place to be free' });
      expect((await read(quiet)).status).toBe(200);
    });

    function rawRead(tenant: Tenant): Socket {
      const { hostname, port } = new URL(api.url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.write(
        `GET /v1/products HTTP/1.1\r\nHost: api\r\nAuthorization: ${tenant.headers['authorization']}\r\n\r\n`,
      );
      return socket;
    }
  });

  it('holds no place for an upload that takes its time, but one of the slots of its tenant', async () => {
    const tenant = await createTenant(api, env, 'enterprise', { max_concurrent_requests: 1 });
    const admitted = 'stockyard_admission_requests_total{priority="bulk",outcome="admitted"}';
    const before = await gauge(admitted);
    let send: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (send = controller) });
    const upload = fetch(`${api.url}/v1/imports`, {
      method: 'POST',
      headers: { ...tenant.headers, 'content-type': 'text/csv', 'idempotency-key': newId() },
      body,
      duplex: 'half',
    });
    send!.enqueue(Buffer.from('sku,name,price,currency\n'));
    await waitFor(async () => (await gauge(admitted)) === before + 1, { what: 'the upload to be let in' });
    expect(await inFlight('bulk')).toBe(0);
    expect((await read(tenant)).status).toBe(429);
    send!.enqueue(Buffer.from('A-1,Name,1.00,EUR\n'));
    send!.close();
    expect((await upload).status).toBe(202);
    expect((await read(tenant)).status).toBe(200);
  });
});
