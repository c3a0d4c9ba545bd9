/**
 * docs/operations/backup.md as it stands there: a base backup, the log, a restore to a point between two orders, and the platform started
 * on what came out of it. Whoever worked with it before goes on as if a replica had been promoted.
 */
import { join } from 'node:path';
import { migrate } from '#libs/database';
import { newId } from '#libs/kernel';
import { createTestEnvironment, OLDEST_POSTGRES, type TestEnvironment } from '#libs/testing';
import { MIGRATIONS } from '#migrations';
import {
  call,
  createTenant,
  type RunningApi,
  startApi,
  stockedProduct,
  type Tenant,
} from '../../apps/api/test/support/api-fixture';
import { RestorableServer } from './restorable-server';

const PAGE = join(__dirname, '../../docs/operations/backup.md');

describe('a restore to a point in time', () => {
  let server: RestorableServer;
  let env: TestEnvironment;
  let api: RunningApi;
  let tenant: Tenant;
  let sku: string;
  /** Of the last answer before the restore. */
  let token: string;
  let late: Tenant;
  const ids: Record<'before' | 'after', string> = { before: '', after: '' };

  const order = async (reference: string, key = newId()) => {
    const lines = [{ kind: 'goods', sku, quantity: 1 }];
    const made = await tenant.call(api, 'POST', '/v1/orders', { key, body: { currency: 'GBP', lines, reference } });
    expect([made.status, made.body.reference]).toEqual([201, reference]);
    return made;
  };
  const asOperator = (state: string) =>
    call(api, 'PATCH', `/v1/admin/organizations/${tenant.id}`, {
      headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
      body: { state },
    });

  beforeAll(async () => {
    server = await RestorableServer.start({ binDir: OLDEST_POSTGRES, page: PAGE });
    await server.run('archive');
    await server.restart();
    const own = await createTestEnvironment({ DATABASE_URL: server.url, DATABASE_REPLICA_URLS: '' });
    env = { ...own, query: (sql, values) => server.postgres.query(sql, values, 'stockyard') as never };
    await migrate({ config: env.config, migrations: MIGRATIONS });
    api = await startApi(env);
    tenant = await createTenant(api, env);
    ({ sku } = await stockedProduct(api, tenant, 10));
  }, 120_000);

  afterAll(async () => {
    await api.stop();
    await env.dispose();
    await server.remove();
  });

  it('keeps the log and a copy', async () => {
    expect(await server.run('archive-check')).toMatch(/archived_count +\| [1-9]/);
    expect(await server.run('base-backup')).toMatch(/backups\/\d{8}T\d{6}Z$/m);
    expect(Number(await server.run('expire'))).toBeGreaterThan(0);
  });

  it('brings back what there was before the point and nothing of what came after it', async () => {
    ids.before = (await order('before')).body.id;
    const point = (await server.run('name-a-point')).trim();
    late = await createTenant(api, env);
    for (const state of ['suspended', 'active']) expect((await asOperator(state)).status).toBe(200); // two epochs later
    const last = await order('after', 'repeated');
    ids.after = last.body.id;
    token = last.headers.get('x-consistency-token')!;
    expect(token).toMatch(/^1\.main\./);
    await api.stop();

    expect(await server.run('last-log')).toMatch(/^[0-9A-F]{24}$/m);
    await server.run('restore', { POINT: point });
    await server.openRestored();
    expect((await server.run('restored')).trim()).toBe('takes writes: true|timeline: 2');
    const { REDIS_URL, REDIS_KEY_PREFIX } = env.config;
    expect((await server.run('empty-redis', { REDIS_URL, REDIS_KEY_PREFIX })).trim()).toBe('0');

    api = await startApi(env);
    const references = await env.query<{ reference: string }>('select reference from orders');
    expect(references).toEqual([{ reference: 'before' }]);
    const answered = await Promise.all(Object.values(ids).map((id) => tenant.call(api, 'GET', `/v1/orders/${id}`)));
    expect(answered.map(({ status }) => status)).toEqual([200, 404]);
  });

  it('refuses nothing that it should not: tokens of the lost time, repeated keys, new writes', async () => {
    const read = await tenant.call(api, 'GET', '/v1/stock_levels', { headers: { 'x-consistency-token': token } });
    expect([read.status, read.body.data[0].available]).toEqual([200, 9]);
    const again = await order('after', 'repeated');
    expect([again.headers.get('idempotent-replayed'), again.body.id === ids.after]).toEqual([null, false]);
    const levels = await tenant.call(api, 'GET', '/v1/stock_levels');
    expect(levels.body.data[0].available).toBe(8);
    for (const state of ['suspended', 'active']) expect((await asOperator(state)).status).toBe(200);
    expect((await late.call(api, 'GET', '/v1/orders')).status).toBe(401);
  });
});
