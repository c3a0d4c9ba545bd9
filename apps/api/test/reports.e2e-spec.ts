/** Reports over HTTP, with a real worker beside the api. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import { createTenant, type RunningApi, startApi, stockedProduct, type Tenant } from './support/api-fixture';

describe('Reports', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: NestFastifyApplication;
  let tenant: Tenant;

  const ask = (body: object) => tenant.call(api, 'POST', '/v1/reports', { body });
  const finished = (id: string) =>
    waitFor(
      async () => {
        const { body } = await tenant.call(api, 'GET', `/v1/jobs/${id}`);
        return body.finished_at ? body : undefined;
      },
      { what: 'the report to be written' },
    );

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

  it('writes each report as a job whose file only its tenant can have', async () => {
    const { sku } = await stockedProduct(api, tenant, 10);
    const order = await tenant.call(api, 'POST', '/v1/orders', {
      key: newId(),
      body: {
        currency: 'GBP',
        occurred_at: '2026-03-29T22:30:00Z',
        advance_to: 'fulfilled',
        lines: [
          { kind: 'goods', sku, quantity: 3 },
          { kind: 'charge', description: 'Postage', unit_price_minor: 990 },
        ],
      },
    });
    expect(order.status).toBe(201);
    const span = { from: '2026-03-01', to: '2026-03-31' };
    const zone = { ...span, time_zone: 'Europe/Berlin' };
    const expected: [object, RegExp][] = [
      [{ report: 'stock_valuation' }, new RegExp(`,${sku},.*,7,7,0,0,0,GBP,100,700\n$`)],
      [{ report: 'stock_movements', ...span }, new RegExp(`,${sku},.*,3,0,-3\n$`)],
      [
        { report: 'sales', period: 'day', ...zone },
        new RegExp(`\n2026-03-30,[^,]*,${sku},[^,]*,goods,GBP,3,300,0,0\n`),
      ],
      [{ report: 'dead_stock', days: 365 }, /^product_id,[^\n]*\n$/],
    ];
    const stranger = await createTenant(api, env);
    for (const [request, content] of expected) {
      const made = await ask({ ...request, format: 'csv' });
      expect([made.status, made.body.state, made.body.class]).toEqual([202, 'queued', 'high']);
      const early = await tenant.call(api, 'GET', `/v1/jobs/${made.body.id}/file`);
      if (early.status !== 200) expect([early.status, early.body.code]).toEqual([409, 'job_has_no_file']);
      const job = await finished(made.body.id);
      expect(job).toMatchObject({ state: 'completed', error: null, progress: { processed: 1, failed: 0, total: 1 } });
      const file = await tenant.call(api, 'GET', `/v1/jobs/${job.id}/file`);
      expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="[a-z_]+-[0-9a-f-]+\.csv"$/);
      expect(file.headers.get('content-type')).toBe('text/csv; charset=utf-8');
      expect(file.body).toMatch(content);
      expect((await stranger.call(api, 'GET', `/v1/jobs/${job.id}/file`)).status).toBe(404);
    }
  });

  it('refuses what it cannot report on, naming the field', async () => {
    const sales = { report: 'sales', format: 'csv', period: 'day', from: '2026-01-01', to: '2026-01-31' };
    const cases: [object, number, string | undefined][] = [
      [{ ...sales, to: '2025-12-31' }, 400, 'to'],
      [{ ...sales, from: '2026-02-30' }, 400, 'from'],
      [{ ...sales, time_zone: 'Nowhere/Atall' }, 400, 'time_zone'],
      [{ ...sales, time_zone: '+02:00' }, 400, 'time_zone'],
      [{ ...sales, time_zone: 'CET' }, 400, 'time_zone'],
      [{ ...sales, from: '0000-01-01' }, 400, 'from'],
      [{ ...sales, period: 'year' }, 400, 'period'],
      [{ ...sales, days: 3 }, 400, 'days'],
      [{ report: 'dead_stock', format: 'csv', days: 0 }, 400, 'days'],
      [{ report: 'everything', format: 'csv' }, 400, 'report'],
    ];
    for (const [body, status, param] of cases) {
      const answer = await ask(body);
      expect([body, answer.status, answer.body.param]).toEqual([body, status, param]);
    }
  });

  it('is for those who may start jobs', async () => {
    const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
    const made = await fetch(`${api.url}/v1/admin/organizations/${tenant.id}/api_keys`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'viewer', role: 'viewer' }),
    });
    const { key } = (await made.json()) as { key: string };
    const answer = await tenant.call(api, 'POST', '/v1/reports', {
      headers: { authorization: `Bearer ${key}` },
      body: { report: 'stock_valuation', format: 'csv' },
    });
    expect(answer.status).toBe(403);
  });
});
