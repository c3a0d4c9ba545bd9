/**
 * nginx and HAProxy with the files of deploy/ before two api processes, under load: both are restarted, one after another, and no
 * request fails; one is killed, and only what was under way on it is lost. How fast it is, nobody is asked.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createTestEnvironment, freePort, type TestEnvironment, waitFor } from '#libs/testing';
import { createTenant, stockedProduct, type Tenant } from './support/api-fixture';
import { type ApiName, Balancer } from './support/balancer';
import { ObservedProcess } from './support/observed-process';
import { type Product, SteadyLoad } from './support/steady-load';

const OFFERED_PER_SECOND = 500;
/** Of it: on two processors that others use as well, databases, processes and clients included. */
const LEAST_PER_SECOND = 50;
const CHECK_MS = 300;
/** More than two checks. */
const NOTICE_MS = 1_000;
const LONGEST_DRAIN_MS = 30_000;
const STOCK = 1_000_000;
/** More than a body of JSON may have, and than a balancer keeps in memory. */
const UPLOAD_MEGABYTES = 8;
const NAMES = ['api-1', 'api-2'] as const;

describe('a balancer before two apis', () => {
  let env: TestEnvironment;
  let variables: Record<string, string>;
  let ports: Record<ApiName, number>;
  let tenant: Tenant;
  let products: Product[];
  /** Stands for the metrics process: tells what it was asked. */
  let metrics: Server;
  const apis = {} as Record<ApiName, ObservedProcess>;
  let acknowledged = 0;

  const startApi = async (name: ApiName) => (apis[name] = await ObservedProcess.start('api', variables, ports[name]));

  beforeAll(async () => {
    env = await createTestEnvironment();
    variables = {
      ...env.variables,
      SHUTDOWN_NOTICE_MS: String(NOTICE_MS),
      TRUSTED_PROXIES: '127.0.0.1',
      NODE_COMPILE_CACHE: join(env.config.STORAGE_DIR, 'compiled'), // processes are started again and again
      ...{ ADMISSION_WAIT_MS: '60000', DATABASE_POOL_WAIT_MS: '60000', DATABASE_TENANT_WAIT_MS: '60000' }, // a busy machine is waited for
    };
    ports = { 'api-1': await freePort(), 'api-2': await freePort() };
    metrics = createServer((request, response) => response.end(JSON.stringify(request.headers)));
    await new Promise<void>((resolve) => metrics.listen(0, '127.0.0.1', resolve));
    await startApi('api-1');
    await startApi('api-2');
    tenant = await createTenant(apis['api-1'], env, 'enterprise', { max_connections: 200 });
    products = await Promise.all(Array.from({ length: 8 }, () => stockedProduct(apis['api-1'], tenant, STOCK)));
  }, 120_000);

  afterAll(async () => {
    await Promise.all(NAMES.map((name) => apis[name].kill()));
    metrics.close();
    await env.dispose();
  });

  const orders = async () => {
    const [found] = await env.query<{ orders: string; allocated: string }>(
      `select (select count(*) from orders) as orders, (select sum(allocated) from stock_levels) as allocated`,
    );
    return [Number(found!.orders), Number(found!.allocated)];
  };

  describe.each(['nginx', 'haproxy'] as const)('%s', (kind) => {
    let balancer: Balancer;

    beforeAll(async () => {
      const [api, tls, dashboard] = [await freePort(), await freePort(), await freePort()];
      const listen = { api, tls, metrics: dashboard };
      const { port } = metrics.address() as AddressInfo;
      balancer = await Balancer.start(kind, { apis: ports, metrics: port, listen }, CHECK_MS);
    }, 60_000);

    afterAll(() => balancer.stop());

    /** Of a metric, over both apis. */
    const sumOf = async (metric: string) => {
      const texts = await Promise.all(NAMES.map(async (name) => (await fetch(`${apis[name].url}/metrics`)).text()));
      const lines = texts.flatMap((text) => text.split('\n').filter((line) => line.startsWith(`${metric} `)));
      expect(lines).toHaveLength(NAMES.length);
      return lines.reduce((sum, line) => sum + Number(line.slice(metric.length + 1)), 0);
    };
    const load = () => new SteadyLoad(balancer.url, tenant, products, OFFERED_PER_SECOND);
    const usedAgain = (name: ApiName, since: number) =>
      waitFor(() => balancer.handled.slice(since).some(({ upstream, status }) => upstream === name && status < 400), {
        what: `${name} to be used`,
        timeoutMs: 30_000,
        intervalMs: 100,
      });
    const report = (what: string, { rate, orders: ordered, reads, failures }: SteadyLoad, drains: number[] = []) => {
      mkdirSync('test-results', { recursive: true });
      const figures = { rate: Math.round(rate), offered: OFFERED_PER_SECOND, ordered, reads, drains, failures };
      writeFileSync(`test-results/balancer-${kind}-${what}.json`, JSON.stringify(figures, null, 2));
    };

    it('loses no request while both apis are restarted', async () => {
      const clients = load();
      const drains: number[] = [];
      try {
        for (const name of NAMES) {
          const began = performance.now();
          await apis[name].stop();
          drains.push(Math.round(performance.now() - began));
          const since = balancer.handled.length;
          await startApi(name);
          await usedAgain(name, since);
        }
      } finally {
        await clients.stop();
        report('restarts', clients, drains);
      }
      expect(clients.failures).toEqual([]);
      expect(clients.misnamed).toBe(0);
      expect(clients.rate).toBeGreaterThan(LEAST_PER_SECOND);
      expect(Math.min(...drains)).toBeGreaterThanOrEqual(NOTICE_MS);
      expect(Math.max(...drains)).toBeLessThan(LONGEST_DRAIN_MS);
      acknowledged += clients.orders;
      expect(await orders()).toEqual([acknowledged, acknowledged]);
    }, 120_000);

    it('loses what is under way on an api that is killed, and nothing else', async () => {
      const clients = load();
      let [killedMs, goneMs] = [0, 0];
      try {
        await waitFor(() => clients.answered > 100, { what: 'answers', timeoutMs: 20_000 });
        killedMs = performance.now();
        await apis['api-1'].kill();
        goneMs = performance.now();
        const before = clients.answered;
        await waitFor(() => clients.answered > before + 100, { what: 'more answers', timeoutMs: 20_000 });
        const since = balancer.handled.length;
        await startApi('api-1');
        await usedAgain('api-1', since);
      } finally {
        await clients.stop();
        report('kill', clients);
      }
      const lost = clients.failures;
      expect(lost.filter(({ beganMs, endedMs }) => beganMs > goneMs || endedMs < killedMs)).toEqual([]);
      expect(lost.filter(({ order }) => order === undefined)).toEqual([]); // what may be asked again was asked again
      const where = new Map(balancer.handled.map(({ requestId, upstream }) => [requestId, upstream]));
      expect(lost.filter(({ id }) => where.get(id) === 'api-2')).toEqual([]);

      for (const { order } of lost) {
        const again = () => tenant.call(balancer, 'POST', '/v1/orders', order);
        await waitFor(async () => (await again()).status === 201, { what: 'the order', timeoutMs: 30_000 });
      }
      acknowledged += clients.orders + lost.length;
      expect(await orders()).toEqual([acknowledged, acknowledged]);
    }, 120_000);

    it('says who asks, names what has no name, and keeps inside what is not for the public', async () => {
      const asked = {
        'x-forwarded-for': '10.9.8.7',
        'x-forwarded-host': 'elsewhere.example',
        forwarded: 'for=10.9.8.7',
      };
      const seen = (await (await fetch(balancer.dashboardUrl, { headers: asked })).json()) as IncomingHttpHeaders;
      expect(seen).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' });
      expect([seen.forwarded, seen['x-forwarded-host']]).toEqual([undefined, undefined]);

      const named = await fetch(`${balancer.url}/live`, { headers: { 'x-request-id': 'a request; of mine' } });
      expect(named.headers.get('x-request-id')).toMatch(/^[\w-]{32,36}$/);

      for (const url of [balancer.url, balancer.dashboardUrl]) {
        for (const path of ['/metrics', '/%6detrics', '//metrics', '/metrics?x=1']) {
          const answer = await fetch(url + path);
          expect([path, answer.status, (await answer.text()).includes('stockyard_')]).toEqual([path, 404, false]);
        }
      }
    });

    it('hands an upload on as it arrives, however large it is, and keeps nothing of it', async () => {
      const admitted = () => sumOf('stockyard_admission_requests_total{priority="bulk",outcome="admitted"}');
      const before = await admitted();
      let send: ReadableStreamDefaultController<Uint8Array>;
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (send = controller) });
      const upload = fetch(`${balancer.url}/v1/imports`, {
        method: 'POST',
        headers: { ...tenant.headers, 'content-type': 'text/csv', 'idempotency-key': `upload-${kind}` },
        body,
        duplex: 'half',
      });
      const digest = createHash('sha256');
      const sendText = (text: string) => {
        digest.update(text);
        send.enqueue(Buffer.from(text));
      };
      sendText('sku,name,price,currency\n');
      await waitFor(async () => (await admitted()) > before, {
        what: 'an api to take the upload that has just begun',
      });
      const line = `A-1,${'x'.repeat(1_000)},1.00,EUR\n`;
      for (let megabyte = 0; megabyte < UPLOAD_MEGABYTES; megabyte += 1) sendText(line.repeat(1_000));
      send!.close();
      expect((await upload).status).toBe(202);
      const [taken] = await env.query<{ sha256: string }>(
        "select payload #>> '{data,sha256}' as sha256 from jobs where type = 'bulk.import' order by id desc limit 1",
      );
      expect(taken!.sha256).toBe(digest.digest('hex'));
      expect(balancer.output).not.toContain('temporary file');
    }, 60_000);

    it('tells a client of an event when it happens, and the api when the client has gone', async () => {
      const job = { type: 'bulk.export', payload: { resource: 'products', format: 'csv' }, delay_seconds: 3_600 };
      const { id } = (await tenant.call(balancer, 'POST', '/v1/jobs', { body: job })).body as { id: string };
      const streams = () => sumOf('stockyard_job_streams_open');
      const follow = async () => {
        const leaving = new AbortController();
        const path = `/v1/jobs/${id}/events`;
        const answer = await fetch(balancer.url + path, { headers: tenant.headers, signal: leaving.signal });
        expect(answer.headers.get('content-type')).toBe('text/event-stream');
        const followed = { said: '', ended: Promise.resolve(), leave: () => leaving.abort() };
        const read = async () => {
          for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) followed.said += chunk;
        };
        followed.ended = read().catch(() => undefined);
        await waitFor(() => followed.said.includes('"state":"queued"'), { what: 'how the job stands' });
        return followed;
      };
      const left = await follow();
      expect(await streams()).toBe(1);
      left.leave();
      await waitFor(async () => (await streams()) === 0, { what: 'the api to notice' });
      const followed = await follow();
      expect((await tenant.call(balancer, 'POST', `/v1/jobs/${id}/cancel`)).status).toBe(200);
      await waitFor(() => followed.said.includes('"state":"cancelled"'), {
        what: 'that it is cancelled',
        timeoutMs: 5_000,
      });
      await Promise.all([left.ended, followed.ended]);
    });

    it('leads to the api over TLS', async () => {
      const asked = get(`${balancer.tlsUrl}/ready`, { rejectUnauthorized: false, agent: false });
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      answer.resume();
      expect([answer.statusCode, answer.headers['strict-transport-security']]).toEqual([200, 'max-age=31536000']);
    });
  });
});
