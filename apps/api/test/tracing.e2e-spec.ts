/** Traces of the real processes, at a collector: from a request through the database, outbox and queue to its job. */
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '#libs/kernel';
import {
  type CollectedSpan,
  createTestEnvironment,
  freePort,
  type TestEnvironment,
  TraceCollector,
  waitFor,
} from '#libs/testing';
import { createTenant, type RunningApi, type Tenant } from './support/api-fixture';
import { ObservedProcess } from './support/observed-process';

const [SERVER, CLIENT, PRODUCER, CONSUMER] = [2, 3, 4, 5];
const EXPORT = { type: 'bulk.export', payload: { resource: 'products', format: 'csv' } };
const TENANT = 'stockyard.organization_id';
const HEADER_SECRET = 'collector-secret-7f3a';

const traceId = () => newId().replaceAll('-', '');
const traceparent = (id: string, flags = '01') => `00-${id}-00f067aa0ba902b7-${flags}`;

describe('Traces', () => {
  let env: TestEnvironment;
  let collector: TraceCollector;
  let api: ObservedProcess;
  let worker: ObservedProcess;
  let tenant: Tenant;
  let variables: Record<string, string>;

  const under = (id: string) => collector.spans.filter((span) => span.traceId === id);
  const createJob = (to: RunningApi, as: Tenant, id: string, flags?: string) =>
    as.call(to, 'POST', '/v1/jobs', { body: EXPORT, headers: { traceparent: traceparent(id, flags) } });
  /** The spans of a trace once its job has ended. */
  const whole = (id: string): Promise<CollectedSpan[]> =>
    waitFor(
      () => {
        const found = under(id);
        const [job] = found.filter(({ kind }) => kind === CONSUMER);
        const server = found.some(({ kind }) => kind === SERVER);
        return Promise.resolve(server && job && found.some(({ name }) => name === 'job_complete') ? found : undefined);
      },
      { what: 'the whole trace', timeoutMs: 20_000 },
    );

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50' });
    collector = await TraceCollector.start();
    variables = {
      ...env.variables,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${HEADER_SECRET}`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      LOG_LEVEL: 'debug',
    };
    [api, worker] = await Promise.all([
      ObservedProcess.start('api', variables),
      ObservedProcess.start('worker', variables),
    ]);
    tenant = await createTenant(api, env);
  });
  afterAll(async () => {
    await Promise.all([api.stop(), worker.stop()]);
    await collector.stop();
    await env.dispose();
  });

  it('are one from the request through lane, outbox and queue to the lanes of the job', async () => {
    const id = traceId();
    const made = await createJob(api, tenant, id);
    expect(made.status).toBe(202);
    const spans = await whole(id);
    const server = spans.find(({ kind }) => kind === SERVER)!;
    expect(server).toMatchObject({ name: 'POST /v1/jobs', service: 'stockyard-api', parentSpanId: '00f067aa0ba902b7' });
    expect(server.attributes).toMatchObject({
      ...{ 'http.request.method': 'POST', 'http.route': '/v1/jobs', 'url.path': '/v1/jobs' },
      ...{ 'http.response.status_code': 202, [TENANT]: tenant.id },
      'stockyard.request_id': made.headers.get('x-request-id'),
    });
    const insert = spans.find(({ attributes }) => String(attributes['db.query.summary']).includes('job_insert'))!;
    expect(insert).toMatchObject({ kind: CLIENT, service: 'stockyard-api', parentSpanId: server.spanId });
    expect(insert.attributes).toMatchObject({
      ...{ 'db.system.name': 'postgresql', 'stockyard.db.lane': 'batch', 'stockyard.db.access': 'write' },
      ...{ 'stockyard.db.shard': 'main', 'stockyard.db.route': 'primary', [TENANT]: tenant.id },
    });
    const send = spans.find(({ kind }) => kind === PRODUCER)!;
    expect(send).toMatchObject({ name: 'send bulk.export', service: 'stockyard-worker', parentSpanId: insert.spanId });
    const job = spans.find(({ kind }) => kind === CONSUMER)!;
    expect(job).toMatchObject({ name: 'process bulk.export', service: 'stockyard-worker', parentSpanId: send.spanId });
    expect(job.attributes).toMatchObject({
      ...{ 'messaging.system': 'bullmq', 'messaging.destination.name': 'high', 'stockyard.job.id': made.body.id },
      ...{ 'stockyard.job.attempt': 1, 'stockyard.job.outcome': 'completed', [TENANT]: tenant.id },
    });
    const below = spans.filter(({ parentSpanId }) => parentSpanId === job.spanId);
    expect(below.map(({ name }) => name)).toEqual(expect.arrayContaining(['job_start', 'job_complete']));
    expect(new Set(below.map(({ attributes }) => attributes[TENANT]))).toEqual(new Set([tenant.id]));
    for (const span of below) expect(span.start >= job.start && span.end <= job.end).toBe(true);
    const relay = await waitFor(
      () => Promise.resolve(collector.spans.find(({ spanId }) => spanId === send.links[0]?.spanId)),
      { what: 'the batch of the relay' },
    );
    expect(relay).toMatchObject({ name: 'relay outbox', parentSpanId: '' });
    expect(relay.traceId).not.toBe(id);
    expect(relay.links).toContainEqual({ traceId: id, spanId: insert.spanId });
  });

  it('stand in the log of the request, with the tenant', async () => {
    const id = traceId();
    const { headers } = await tenant.call(api, 'GET', '/v1/products', { headers: { traceparent: traceparent(id) } });
    const request = await waitFor(
      () => Promise.resolve(api.lines.find((line) => line.trace_id === id && line.message === 'request completed')),
      { what: 'the line of the request' },
    );
    expect(request).toMatchObject({ organization_id: tenant.id, request: { id: headers.get('x-request-id') } });
    const server = await waitFor(() => Promise.resolve(under(id).find(({ kind }) => kind === SERVER)), {
      what: 'the span of the request',
    });
    expect(request.span_id).toBe(server.spanId);
  });

  it('never mix tenants, however many requests there are at once', async () => {
    const other = await createTenant(api, env);
    const calls = Array.from({ length: 100 }, (_, index) => ({
      ...{ id: traceId(), as: index % 2 === 0 ? tenant : other, writes: index % 4 < 2 },
    }));
    const answers = await Promise.all(
      calls.map(({ id, as, writes }) => {
        const headers = { traceparent: traceparent(id) };
        const sku = `T-${newId()}`;
        const body = { sku, name: sku, price_minor: 100, currency: 'GBP' };
        return as.call(api, writes ? 'POST' : 'GET', '/v1/products', writes ? { headers, body } : { headers });
      }),
    );
    expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 201)).toEqual([]);
    for (const { id, as, writes } of calls) {
      const found = await waitFor(
        () => Promise.resolve(under(id).some(({ kind }) => kind === SERVER) ? under(id) : undefined),
        { what: 'the trace of a request' },
      );
      const server = found.find(({ kind }) => kind === SERVER)!;
      expect(server.name).toBe(`${writes ? 'POST' : 'GET'} /v1/products`);
      const lanes = found.filter(({ kind }) => kind === CLIENT);
      expect(lanes.length).toBeGreaterThan(0);
      expect(lanes.filter(({ parentSpanId }) => parentSpanId !== server.spanId)).toEqual([]);
      expect(new Set(found.map(({ attributes }) => attributes[TENANT]))).toEqual(new Set([as.id]));
    }
  });

  it('show no probe, no SQL and no value', async () => {
    await fetch(`${api.url}/ready`, { headers: { traceparent: traceparent(traceId()) } });
    const sku = `private-${newId()}`;
    await tenant.call(api, 'POST', '/v1/products', { body: { sku, name: sku, price_minor: 1, currency: 'GBP' } });
    const taken = await tenant.call(api, 'POST', '/v1/products', {
      body: { sku, name: sku, price_minor: 1, currency: 'GBP' },
    });
    expect(taken.status).toBe(409);
    const failed = await waitFor(
      () => Promise.resolve(collector.spans.find(({ status, kind }) => status === 2 && kind === CLIENT)),
      { what: 'the span of the statement that failed' },
    );
    expect(failed.attributes['error.type']).toBe('23505');
    const shown = collector.bodies.join('');
    for (const hidden of ['/ready', sku, 'select ', 'insert into', HEADER_SECRET, 'sk_']) {
      expect(shown.includes(hidden)).toBe(false);
    }
  });

  it('go to the collector with its headers, which nobody else sees', () => {
    expect(collector.headers[0]).toMatchObject({ authorization: `Bearer ${HEADER_SECRET}` });
    expect([api, worker].filter(({ output }) => output.includes(HEADER_SECRET))).toEqual([]);
  });

  describe('with a share of 0', () => {
    const none = (more: Record<string, string> = {}) =>
      ObservedProcess.start('api', { ...variables, OTEL_TRACES_SAMPLER_ARG: '0', ...more });

    it('are not recorded because a caller says so, nor are the jobs', async () => {
      const quiet = await none();
      const id = traceId();
      const { body } = await createJob(quiet, tenant, id, '01');
      await waitFor(async () => (await tenant.call(quiet, 'GET', `/v1/jobs/${body.id}`)).body.state === 'completed', {
        what: 'the job',
      });
      const [row] = await env.query<{ traceparent: string }>('select traceparent from outbox where id = $1', [body.id]);
      expect(row!.traceparent).toMatch(new RegExp(`^00-${id}-[0-9a-f]{16}-00$`));
      await quiet.stop();
      const later = traceId();
      await createJob(api, tenant, later);
      await whole(later); // what the worker did before has arrived too
      expect(under(id)).toEqual([]);
    });

    it('are recorded where a caller that is trusted says so', async () => {
      const trusting = await none({ TRACING_TRUST_CALLERS: 'on' });
      const [recorded, not] = [traceId(), traceId()];
      await createJob(trusting, tenant, not, '00');
      await createJob(trusting, tenant, recorded, '01');
      expect(await whole(recorded)).not.toEqual([]);
      await trusting.stop();
      expect(under(not)).toEqual([]);
    });
  });

  describe('while the collector', () => {
    const GRACE_MS = 10_000;
    const hurried = {
      SHUTDOWN_GRACE_MS: String(GRACE_MS),
      OTEL_BSP_MAX_QUEUE_SIZE: '64',
      OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
    };

    /** Lost spans, by outcome, once so many requests have been answered. */
    async function lost(process: ObservedProcess): Promise<{ dropped: number; failed: number; slowestMs: number }> {
      let slowestMs = 0;
      for (let round = 0; round < 10; round += 1) {
        const began = performance.now();
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => tenant.call(process, 'GET', '/v1/products')),
        );
        slowestMs = Math.max(slowestMs, performance.now() - began);
        expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
      }
      const metrics = await (await fetch(`${process.url}/metrics`)).text();
      const count = (outcome: string) =>
        Number(new RegExp(`^stockyard_trace_spans_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
      return { dropped: count('dropped'), failed: count('failed'), slowestMs };
    }
    async function stopMs(process: ObservedProcess): Promise<number> {
      const began = performance.now();
      await process.stop();
      return performance.now() - began;
    }

    it('is away, requests are as before, and what is lost is counted and said once', async () => {
      const port = await freePort();
      const process = await ObservedProcess.start('api', {
        ...{ ...variables, ...hurried, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
        OTEL_EXPORTER_OTLP_TIMEOUT: '200',
      });
      const { dropped, failed, slowestMs } = await lost(process);
      expect(dropped + failed).toBeGreaterThan(0);
      expect(slowestMs).toBeLessThan(2_000);
      const complaints = () => process.lines.filter(({ context }) => context === 'Tracing');
      await waitFor(() => Promise.resolve(complaints().length > 0), { what: 'a line about the collector' });
      const back = await TraceCollector.start(port);
      const id = traceId();
      await waitFor(
        async () => {
          await tenant.call(process, 'GET', '/v1/products', { headers: { traceparent: traceparent(id) } });
          return back.spans.some((span) => span.traceId === id);
        },
        { what: 'spans at the collector that came back' },
      );
      expect(await stopMs(process)).toBeLessThan(GRACE_MS);
      await back.stop();
      expect(complaints().map(({ level }) => level)).toEqual(['warn', 'info']);
    });

    it('is silent, requests are as before, what finds no room is counted, and the process ends in time', async () => {
      const silent = await TraceCollector.start();
      silent.delayMs = 120_000;
      const process = await ObservedProcess.start('api', {
        ...{ ...variables, ...hurried, OTEL_EXPORTER_OTLP_ENDPOINT: silent.url },
      });
      const { dropped, slowestMs } = await lost(process);
      expect(dropped).toBeGreaterThan(0);
      expect(slowestMs).toBeLessThan(2_000);
      expect(silent.requests).toBe(1);
      expect(await stopMs(process)).toBeLessThan(GRACE_MS);
      await silent.stop();
    });

    it('waits for a batch, the last spans are sent when the process ends', async () => {
      const process = await ObservedProcess.start('api', { ...variables, OTEL_BSP_SCHEDULE_DELAY: '60000' });
      const id = traceId();
      await tenant.call(process, 'GET', '/v1/products', { headers: { traceparent: traceparent(id) } });
      await delay(300);
      expect(under(id)).toEqual([]);
      await process.stop();
      expect(under(id).map(({ kind }) => kind)).toContain(SERVER);
    });
  });

  it('name the tenant that reads the dashboard', async () => {
    const metrics = await ObservedProcess.start('metrics', variables);
    const id = traceId();
    await tenant.call(metrics, 'GET', `/v1/dashboard/tenants/${tenant.id}`, {
      headers: { traceparent: traceparent(id) },
    });
    await metrics.stop();
    const [server] = under(id).filter(({ kind }) => kind === SERVER);
    expect(server!.attributes[TENANT]).toBe(tenant.id);
  });

  it('are off by default: nothing is handed on', async () => {
    const off = await ObservedProcess.start('api', env.variables);
    const id = traceId();
    const { body, status } = await createJob(off, tenant, id);
    expect(status).toBe(202);
    const [row] = await env.query<{ traceparent: null }>('select traceparent from outbox where id = $1', [body.id]);
    expect(row).toEqual({ traceparent: null });
    const metrics = await (await fetch(`${off.url}/metrics`)).text();
    expect(metrics).not.toContain('stockyard_trace_spans_total{');
    await off.stop();
    expect(under(id)).toEqual([]);
  });
});
