/** What an api process tells Prometheus of itself. */
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { call, createTenant, type RunningApi, startApi, type Tenant } from './support/api-fixture';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5';

describe('Metrics of the api', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let tenant: Tenant;

  beforeAll(async () => {
    env = await createTestEnvironment();
    api = await startApi(env);
    tenant = await createTenant(api, env);
  });

  afterAll(async () => {
    await api.stop();
    await env.dispose();
  });

  const scrape = async (accept = '*/*') => {
    const { body, headers } = await call(api, 'GET', '/metrics', { headers: { accept } });
    return { text: body as string, type: headers.get('content-type') };
  };
  const value = async (series: string) => {
    const line = (await scrape()).text.split('\n').find((one) => one.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  };
  const http = (method: string, route: string, status: string) =>
    value(`stockyard_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`);
  /** A reply is counted when it has been sent. */
  const counted = (method: string, route: string, status: string, count: number) =>
    waitFor(async () => (await http(method, route, status)) === count, { what: `${method} ${route} ${status}` });

  it('counts requests by route template and status class, and never by what stands in the path', async () => {
    for (const id of ['01a20a23-37fc-76f7-8763-3fb32e1f739f', '01a20a23-37fc-76f7-8763-3fb32e1f7390'])
      await tenant.call(api, 'GET', `/v1/orders/${id}`);
    await counted('GET', '/v1/orders/:id', '4xx', 2);
    for (const path of ['/wp-admin', '/.env', '/v2/x']) await call(api, 'GET', path);
    await counted('GET', 'unmatched', '4xx', 3);
    await call(api, 'PROPFIND', '/v1/orders');
    const { text } = await scrape();
    expect(text).not.toContain('PROPFIND');
    expect(text).not.toContain('wp-admin');
    expect(text).not.toContain('01a20a23');
  });

  it('counts the lanes by what came of them, and waits for connections', async () => {
    const lane = (name: string, access: string, outcome: string) =>
      value(`stockyard_lane_duration_seconds_count{lane="${name}",access="${access}",outcome="${outcome}"}`);
    const before = await lane('batch', 'write', 'done');
    const product = { sku: 'M-1', name: 'm', price_minor: 1, currency: 'EUR' };
    expect((await tenant.call(api, 'POST', '/v1/products', { body: product })).status).toBe(201);
    const declined = async () =>
      (await lane('batch', 'write', 'declined')) + (await lane('statement', 'write', 'declined'));
    const refusals = await declined();
    const done = (await lane('batch', 'write', 'done')) + (await lane('statement', 'write', 'done'));
    expect(done).toBeGreaterThan(before);
    const short = { lines: [{ sku: 'M-1', delta: -5 }], reason: 'lost' };
    expect((await tenant.call(api, 'POST', '/v1/adjustments', { key: 'short-1', body: short })).status).toBe(409);
    expect(await declined()).toBe(refusals + 1);
    const { text } = await scrape();
    expect(text).toMatch(/^stockyard_pool_wait_seconds_count\{shard="main",node="127[^"]+"\} [1-9]/m);
    expect(text).toMatch(/^stockyard_share_wait_seconds_count \d/m);
    expect(text).toMatch(/^# TYPE stockyard_reads_routed_total counter$/m);
  });

  it('names the trace of a request as exemplar in OpenMetrics: of the request, and of the lanes that it used', async () => {
    const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;
    await tenant.call(api, 'GET', '/v1/products', { headers: { traceparent } });
    await counted('GET', '/v1/products', '2xx', 1);
    const { text, type } = await scrape(OPEN_METRICS);
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const exemplars = text.split('\n').filter((line) => line.includes(`# {trace_id="${TRACE}"}`));
    expect(exemplars.some((line) => line.includes('route="/v1/products"'))).toBe(true);
    expect(exemplars.some((line) => line.startsWith('stockyard_lane_duration_seconds_bucket'))).toBe(true);
    expect(text.endsWith('# EOF\n')).toBe(true);
    expect((await scrape()).text).not.toContain(TRACE);
  });

  it('tells its release, the last minute, event loop and garbage collection', async () => {
    const { text } = await scrape();
    expect(text).toMatch(/^stockyard_build_info\{version="[^"]+",process="api",node="\d+\.[^"]+"\} 1$/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
    expect(text).toMatch(/^# TYPE nodejs_gc_duration_seconds histogram$/m);
    expect(await value('http_requests_per_second')).toBeGreaterThan(0);
    expect(await value('stockyard_http_p95_seconds')).toBeGreaterThan(0);
  });

  it('has probes and scrapes in the histogram and not in the last minute', async () => {
    const before = await value('http_requests_per_second');
    for (let n = 0; n < 50; n += 1) await call(api, 'GET', '/live');
    await counted('GET', '/live', '2xx', 50);
    expect(await value('http_requests_per_second')).toBeLessThanOrEqual(before);
  });

  it('says nothing of whose requests they were', async () => {
    expect((await scrape()).text).not.toContain(tenant.id);
    expect((await scrape(OPEN_METRICS)).text).not.toContain(tenant.id);
  });
});
