/**
 * A tenant moves between shards while it is used: an api, a worker of its own process, and the command line that operators
 * type, with writers and readers that never stop.
 */
import { loadavg } from 'node:os';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { newId } from '#libs/kernel';
import { createTestEnvironment, freePort, platformModules, type TestEnvironment, waitFor } from '#libs/testing';
import { WorkerProcess } from '../../worker/test/worker-process';
import {
  type Answer,
  call,
  createTenant,
  type RunningApi,
  startApi,
  stockedProduct,
  type Tenant,
} from './support/api-fixture';
import { operationOf, type PrintedOperation, stockyard } from './support/stockyard-command';
import { TenantLoad } from './support/tenant-load';

const MAX_PAUSE_MS = 1_000;
/** What a fence waits for beyond the pause that the move itself measures, on a machine that has other things to do. */
const SLACK_MS = 1_500;

const NOTHING_WRONG = { lost: 0, doubled: 0, foreign: 0, uncounted: 0, orders_lost: 0, orders_foreign: 0 };

describe('a tenant that is moved while it is used', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let app: INestApplicationContext;
  let worker: WorkerProcess | undefined;
  let load: TenantLoad | undefined;

  beforeAll(async () => {
    const settings = { MOVE_GRACE_MS: '500', MOVE_MAX_PAUSE_MS: String(MAX_PAUSE_MS), USAGE_FLUSH_MS: '500' };
    env = await createTestEnvironment(settings, { shards: 2 });
    api = await startApi(env);
    app = await Test.createTestingModule({ imports: platformModules(env.config) }).compile();
    await app.init();
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
  });
  afterAll(async () => {
    await worker?.kill('SIGKILL');
    await app.close();
    await api.stop();
    await env.dispose();
  });

  const shard = (name: string) => env.shards.find((one) => one.name === name)!;
  const admin = (method: string, path: string, body?: unknown): Promise<Answer> => {
    const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
    return call(api, method, `/v1/admin${path}`, { headers, body });
  };
  const organization = async ({ id }: Tenant) => (await admin('GET', `/organizations/${id}`)).body as unknown;
  const placeOn = async (name: string, { id }: Tenant) =>
    (await shard(name).query<{ state: string }>('select state from tenant_places where tenant = $1', [id]))[0]?.state;
  const move = async (tenant: Tenant, to: string): Promise<PrintedOperation> => {
    worker ??= await WorkerProcess.start({ ...env.variables, WORKER_PORT: String(await freePort()) });
    return operationOf(await stockyard(env, api, 'move', tenant.slug, '--to', to, '--json'));
  };
  /** Rows of the tenant in every table that moves. */
  const rowsOn = async (name: string, { id }: Tenant): Promise<number> => {
    const tables = await shard(name).query<{ name: string }>('select moved::text as name from moved_tables() moved');
    const counts = tables.map((table) => `(select count(*) from ${table.name} where organization_id = $1)`);
    const [row] = await shard(name).query<{ rows: string }>(`select ${counts.join(' + ')} as rows`, [id]);
    return Number(row!.rows);
  };
  const tell = (what: string, { result }: PrintedOperation, { text }: { text: string }) => {
    const load1 = loadavg()[0]!.toFixed(1);
    process.stdout.write(
      `${what}: paused_ms ${String(result.paused_ms)}, ${String(result.rows_copied)} rows copied, ${String(result.pauses_given_up)} pauses given up; ${text}; machine load ${load1}\n`,
    );
  };

  it('keeps every acknowledged write once, never stops its readers, and comes back', async () => {
    const tenant = await createTenant(api, env);
    load = new TenantLoad({ app, api, tenant, writers: 6, writesPerSecond: 220, orderers: 2 });
    await load.start();
    await load.goesOn(100);

    for (const [from, to] of [
      ['main', 'two'],
      ['two', 'main'],
    ] as const) {
      const operation = await move(tenant, to);
      await load.goesOn(100);
      expect(load.failures).toEqual([]);
      expect(operation).toMatchObject({ state: 'completed', result: { from } });
      expect(operation.result.paused_ms).toBeLessThanOrEqual(MAX_PAUSE_MS);
      expect(await organization(tenant)).toMatchObject({ shard: to, pinned: to === 'two', state: 'active' });
      expect([await placeOn(from, tenant), await placeOn(to, tenant)]).toEqual(['moved', 'open']);
      expect(await rowsOn(from, tenant)).toBe(0);
      tell(`${from} to ${to}`, operation, { text: String(load) });
    }

    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await load.proof(shard('main'))).toEqual(NOTHING_WRONG);
    expect(load.longestGapMs).toBeLessThanOrEqual(MAX_PAUSE_MS + SLACK_MS);
    expect([...load.refusals.keys()].filter((code) => code !== 'organization_moving')).toEqual([]);
  }, 120_000);

  it('takes its jobs along: what was queued before the move runs once after it', async () => {
    const tenant = await createTenant(api, env);
    await worker?.kill('SIGKILL'); // nobody publishes for now
    worker = undefined;
    const queued = await tenant.call(api, 'POST', '/v1/imports', {
      key: newId(),
      raw: 'sku,name,currency,on_hand\nAFTER,After,GBP,5',
      headers: { 'content-type': 'text/csv' },
    });
    expect(queued.status).toBe(202);
    const { id } = queued.body as { id: string };
    // The relay sees nothing on the old shard: what it would have published there has to move.
    await env.query('create policy unseen on outbox as restrictive for select to stockyard_relay using (false)');
    const moved = move(tenant, 'two');
    const job = await waitFor(
      async () => {
        const { body } = await tenant.call(api, 'GET', `/v1/jobs/${id}`);
        return (body as { state: string }).state === 'completed' && (body as Record<string, unknown>);
      },
      { what: 'the job to run', timeoutMs: 45_000 },
    );
    expect(job).toMatchObject({ result: { lines: 1, failed: 0 } });
    await env.query('drop policy unseen on outbox'); // what stayed behind must not become a second job
    expect((await moved).state).toBe('completed');
    expect(await rowsOn('main', tenant)).toBe(0);
    const effects = await shard('two').query(
      `select j.attempts, l.on_hand::int, (select count(*)::int from stock_movements m where m.organization_id = $1) as movements
       from jobs j join products p on p.organization_id = j.organization_id and p.sku = 'AFTER'
       join stock_levels l on l.organization_id = p.organization_id and l.product_id = p.id
       where j.organization_id = $1 and j.id = $2`,
      [tenant.id, id],
    );
    expect(effects).toEqual([{ attempts: 1, on_hand: 5, movements: 1 }]);
  }, 90_000);

  it('goes on being metered, and its keys being used, where it lives now', async () => {
    const tenant = await createTenant(api, env);
    const calls = async () => {
      const rows = await Promise.all(
        env.shards.map(({ query }) =>
          query<{ value: string }>(
            "select value from tenant_usage where organization_id = $1 and metric = 'api_calls'",
            [tenant.id],
          ),
        ),
      );
      return rows.map((found) => found.reduce((sum, { value }) => sum + Number(value), 0));
    };
    const look = async (times: number) => {
      for (let turn = 0; turn < times; turn += 1)
        expect((await tenant.call(api, 'GET', '/v1/locations')).status).toBe(200);
    };
    await look(5);
    await waitFor(async () => (await calls())[0] === 5, { what: 'the calls to be counted' });
    const unused = await admin('POST', `/organizations/${tenant.id}/api_keys`, { name: 'late', role: 'viewer' });
    await look(2); // perhaps not written yet
    await move(tenant, 'two');
    const authorization = `Bearer ${(unused.body as { key: string }).key}`;
    expect((await call(api, 'GET', '/v1/locations', { headers: { authorization } })).status).toBe(200);
    await look(2);
    await waitFor(async () => (await calls()).join() === '0,10', { what: 'all calls to be counted on the new shard' });
    const used = "select from api_keys where organization_id = $1 and name = 'late' and last_used_at is not null";
    const touched = () => shard('two').query(used, [tenant.id]);
    await waitFor(async () => (await touched()).length === 1, { what: 'the key to be seen in use' });
  }, 60_000);

  it('stays suspended when it is, and takes the overrides of its limits along', async () => {
    const tenant = await createTenant(api, env);
    await admin('PUT', `/organizations/${tenant.id}/limits`, { max_users: 3 });
    const { sku } = await stockedProduct(api, tenant, 5);
    await admin('PATCH', `/organizations/${tenant.id}`, { state: 'suspended' });

    expect((await move(tenant, 'two')).state).toBe('completed');
    expect(await organization(tenant)).toMatchObject({ state: 'suspended', shard: 'two', pinned: true });
    expect([await placeOn('main', tenant), await placeOn('two', tenant)]).toEqual(['moved', 'suspended']);
    const order = { currency: 'GBP', lines: [{ kind: 'goods', sku, quantity: 1 }] };
    const place = () => tenant.call(api, 'POST', '/v1/orders', { key: newId(), body: order });
    expect((await place()).body).toMatchObject({ code: 'organization_not_active' });
    expect((await tenant.call(api, 'GET', `/v1/stock_levels?sku=${sku}`)).body).toMatchObject({
      data: [{ available: 5 }],
    });
    const allowed = await shard('two').query(
      `select check_tenant_limit($1, 'max_users', 3) as three, check_tenant_limit($1, 'max_users', 4) as four`,
      [tenant.id],
    );
    expect(allowed).toEqual([{ three: true, four: false }]);

    await admin('PATCH', `/organizations/${tenant.id}`, { state: 'active' });
    expect((await place()).status).toBe(201);
    await move(tenant, 'main');
    expect(await organization(tenant)).toMatchObject({ state: 'active', shard: 'main', pinned: false });
    expect(await shard('two').query('select from tenant_limits where organization_id = $1', [tenant.id])).toEqual([]);
    expect((await place()).status).toBe(201);
  }, 90_000);
});
