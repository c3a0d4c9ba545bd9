/** Alerts over HTTP: thresholds, orders that cross them, a real worker that looks, and who may do what. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import {
  type Answer,
  call,
  createTenant,
  type RunningApi,
  startApi,
  stockedProduct,
  type Tenant,
} from './support/api-fixture';

describe('Stock alerts', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: NestFastifyApplication;
  let tenant: Tenant;

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50' });
    api = await startApi(env);
    worker = await createWorker(env.config);
    tenant = await createTenant(api, env);
  });
  afterAll(async () => {
    await worker.close();
    await api.stop();
    await env.dispose();
  });

  const get = (path: string) => tenant.call(api, 'GET', path);
  const level = async (sku: string) => (await get(`/v1/stock_levels?sku=${sku}`)).body.data[0];
  const thresholdOf = async (sku: string) => {
    const { product_id, location_id } = await level(sku);
    return `/v1/stock_levels/${product_id}/${location_id}/threshold`;
  };
  const alertOf = (productId: string, state: string): Promise<Answer['body']> =>
    waitFor<Answer['body']>(
      async () => (await get(`/v1/stock_alerts?product_id=${productId}&state=${state}`)).body.data[0],
      { what: `an alert that is ${state}`, timeoutMs: 30_000 },
    );

  it('open by an order, are acknowledged once, and resolve by the cancellation', async () => {
    const { id: productId, sku } = await stockedProduct(api, tenant, 10);
    const path = await thresholdOf(sku);
    const fresh = await get(path);
    expect(fresh.headers.get('etag')).toBe('"0"');
    expect(fresh.body).toMatchObject({ low_stock_threshold: null, is_low: false, available: 10, version: 0 });
    const put = await tenant.call(api, 'PUT', path, {
      body: { low_stock_threshold: 4 },
      headers: { 'if-match': '"0"' },
    });
    expect([put.status, put.headers.get('etag'), put.body.low_stock_threshold]).toEqual([200, '"1"', 4]);
    const stale = await tenant.call(api, 'PUT', path, {
      body: { low_stock_threshold: 5 },
      headers: { 'if-match': '"0"' },
    });
    expect([stale.status, stale.body.code]).toEqual([412, 'version_mismatch']);

    const order = await tenant.call(api, 'POST', '/v1/orders', {
      key: newId(),
      body: { currency: 'GBP', lines: [{ kind: 'goods', sku, quantity: 6 }] },
    });
    expect(order.status).toBe(201);
    expect(await level(sku)).toMatchObject({ available: 4, low_stock_threshold: 4, is_low: true });
    const alert = await alertOf(productId, 'open');
    expect(alert).toMatchObject({ sku, threshold: 4, available: 4, acknowledged_at: null, resolved_at: null });
    expect((await get(`/v1/stock_alerts/${alert.id}`)).body).toEqual(alert);

    const seen = await tenant.call(api, 'POST', `/v1/stock_alerts/${alert.id}/acknowledge`);
    expect(seen.body).toMatchObject({ state: 'open', version: 2, acknowledged_by: { type: 'api_key' } });
    const again = await tenant.call(api, 'POST', `/v1/stock_alerts/${alert.id}/acknowledge`);
    expect([again.status, again.body]).toEqual([200, seen.body]);
    const cancelled = await tenant.call(api, 'POST', `/v1/orders/${order.body.id}/cancel`, { key: newId() });
    expect(cancelled.status).toBe(200);
    const resolved = await alertOf(productId, 'resolved');
    expect(resolved).toMatchObject({ id: alert.id, state: 'resolved', version: 3 });
    expect((await get(`/v1/stock_alerts?product_id=${productId}&state=open`)).body.data).toEqual([]);
  });

  it('page from the newest on, by location too, and a client may have all levels checked', async () => {
    const products = [];
    for (let index = 0; index < 3; index += 1) products.push(await stockedProduct(api, tenant, 1));
    const place = (await level(products[0]!.sku)).location_id as string;
    for (const { sku } of products)
      await tenant.call(api, 'PUT', await thresholdOf(sku), { body: { low_stock_threshold: 1 } });
    for (const { id } of products) await alertOf(id, 'open');
    const first = await get(`/v1/stock_alerts?state=open&location_id=${place}&limit=2`);
    const second = await get(
      `/v1/stock_alerts?state=open&location_id=${place}&limit=2&cursor=${first.body.next_cursor}`,
    );
    const ids = [...first.body.data, ...second.body.data].map(({ id }: { id: string }) => id);
    expect([ids.length, ids]).toEqual([3, [...ids].sort().reverse()]);
    expect((await get(`/v1/stock_alerts?location_id=${newId()}`)).body.data).toEqual([]);

    const job = await tenant.call(api, 'POST', '/v1/jobs', { body: { type: 'inventory.check_alerts', payload: {} } });
    const done = await waitFor(
      async () => {
        const { body } = await get(`/v1/jobs/${job.body.id}`);
        return body.state === 'completed' ? body : undefined;
      },
      { what: 'the check' },
    );
    expect(done.result).toMatchObject({ opened: 0, resolved: 0 });
    const report = await tenant.call(api, 'POST', '/v1/reports', { body: { report: 'low_stock', format: 'csv' } });
    const file = await waitFor(
      async () => {
        const answer = await get(`/v1/jobs/${report.body.id}/file`);
        return answer.status === 200 ? String(answer.body) : undefined;
      },
      { what: 'the report' },
    );
    const [header, ...rows] = file.trim().split('\n');
    expect(header).toMatch(/^product_id,sku,name,.*,low_stock_threshold,below_by,alert_id,opened_at,acknowledged_at$/);
    expect(rows.map((row) => row.split(',')[1]).sort()).toEqual(products.map(({ sku }) => sku).sort());
    const refused = await tenant.call(api, 'POST', '/v1/jobs', { body: { type: 'inventory.low_stock', payload: {} } });
    expect([refused.status, refused.body.code]).toEqual([422, 'job_type_not_creatable']);
  });

  it('answer another tenant as if there were none, and let a viewer look and no more', async () => {
    const { id: productId, sku } = await stockedProduct(api, tenant, 1);
    const path = await thresholdOf(sku);
    await tenant.call(api, 'PUT', path, { body: { low_stock_threshold: 1 } });
    const { id } = await alertOf(productId, 'open');
    const other = await createTenant(api, env);
    const unknown = await other.call(api, 'GET', `/v1/stock_alerts/${newId()}`);
    for (const [method, at, body] of [
      ['GET', `/v1/stock_alerts/${id}`, undefined],
      ['POST', `/v1/stock_alerts/${id}/acknowledge`, undefined],
      ['GET', path, undefined],
      ['PUT', path, { low_stock_threshold: 3 }],
    ] as const) {
      const answer = await other.call(api, method, at, { body });
      expect([at, answer.status, answer.body.code]).toEqual([at, 404, unknown.body.code]);
    }
    const key = await tenant.call(api, 'POST', '/v1/api_keys', { body: { name: 'viewer', role: 'viewer' } });
    const headers = { authorization: `Bearer ${key.body.key}` };
    expect((await call(api, 'GET', `/v1/stock_alerts/${id}`, { headers })).status).toBe(200);
    expect((await call(api, 'POST', `/v1/stock_alerts/${id}/acknowledge`, { headers })).status).toBe(403);
    expect((await call(api, 'PUT', path, { headers, body: { low_stock_threshold: 3 } })).status).toBe(403);
    for (const bad of [
      {},
      { low_stock_threshold: -1 },
      { low_stock_threshold: 1.5 },
      { low_stock_threshold: 1, more: 1 },
    ])
      expect((await tenant.call(api, 'PUT', path, { body: bad })).status).toBe(400);
  });
});
