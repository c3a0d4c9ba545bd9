/** Reconciliation over HTTP, for operators and tenants, with a real worker beside the api. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createWorker } from '../../worker/src/create-worker';
import { call, createTenant, type RunningApi, startApi, stockedProduct, type Tenant } from './support/api-fixture';

describe('Reconciliation', () => {
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

  const admin = (method: string, path: string, body?: unknown) =>
    call(api, method, `/v1/admin/organizations/${tenant.id}${path}`, {
      headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
      body,
    });
  const finished = (read: () => Promise<{ body: { finished_at: string | null; [field: string]: unknown } }>) =>
    waitFor(
      async () => {
        const { body } = await read();
        return body.finished_at === null ? undefined : body;
      },
      { what: 'the reconciliation' },
    );
  const operated = async (body: object) => {
    const made = await admin('POST', '/reconcile', body);
    expect(made.status).toBe(202);
    return finished(() => admin('GET', `/reconcile/${made.body.id}`));
  };

  it('finds and repairs for operators, looks only for tenants, and tells the audit log of all of it', async () => {
    const { id, sku } = await stockedProduct(api, tenant, 10);
    await env.query(
      'update stock_levels set available = available + 5 where organization_id = $1 and product_id = $2',
      [...[tenant.id, id]],
    );
    expect(await operated({})).toMatchObject({ result: { levels: 1, differences: 1, repaired: 0, first: [{ sku }] } });

    const made = await tenant.call(api, 'POST', '/v1/jobs', { body: { type: 'inventory.reconcile', payload: {} } });
    expect(made.status).toBe(202);
    const seen = await finished(() => tenant.call(api, 'GET', `/v1/jobs/${made.body.id}`));
    expect(seen).toMatchObject({ type: 'inventory.reconcile', result: { differences: 1, repaired: 0 } });
    const refused = await tenant.call(api, 'POST', '/v1/jobs', { body: { type: 'inventory.repair', payload: {} } });
    expect([refused.status, refused.body.code]).toEqual([422, 'job_type_not_creatable']);

    expect(await operated({ repair: true })).toMatchObject({ type: 'inventory.repair', result: { repaired: 1 } });
    const sums = await tenant.call(api, 'GET', '/v1/stock_movements/summary');
    expect(sums.body.data).toMatchObject([{ sku, quantity: 15 }]);
    const levels = await tenant.call(api, 'GET', `/v1/stock_levels?sku=${sku}`);
    expect(levels.body.data).toMatchObject([{ on_hand: 15 }]);
    const audited = await env.query<{ action: string }>(
      "select action from audit_log where organization_id = $1 and action like 'stock.%' order by id",
      [tenant.id],
    );
    expect(audited.map(({ action }) => action)).toEqual([
      'stock.reconcile_requested',
      'stock.repair_requested',
      'stock.reconciled',
    ]);
    expect((await admin('GET', `/reconcile/${newId()}`)).status).toBe(404);
  });

  it('is not for tenants to ask of the operators', async () => {
    const path = `/v1/admin/organizations/${tenant.id}/reconcile`;
    expect((await tenant.call(api, 'POST', path, { body: { repair: true } })).status).toBe(401);
    expect((await admin('POST', '/reconcile', { repair: 'yes' })).status).toBe(400);
  });
});
