/** Worker processes that are killed while many connections change levels: in the end the alerts are what the levels say. */
import { createOrganization, createTestEnvironment, freePort, type TestEnvironment, waitFor } from '#libs/testing';
import { WorkerProcess } from './worker-process';

const TENANTS = 3;
const LEVELS = 40;
const WRITERS = 6;

describe('Workers that are lost while levels cross their thresholds', () => {
  let env: TestEnvironment;
  let workers: WorkerProcess[];
  const tenants: string[] = [];

  const start = async () => WorkerProcess.start({ ...env.variables, WORKER_PORT: String(await freePort()) });
  const count = async (of: string) => (await env.query<{ n: number }>(`select count(*)::int as n from ${of}`))[0]!.n;
  const alerts = () => count('stock_alerts');
  const wrong = () =>
    count(`stock_levels l where (available <= low_stock_threshold) <> exists (
      select from stock_alerts a where a.organization_id = l.organization_id and a.product_id = l.product_id
        and a.location_id = l.location_id and a.resolved_at is null)`);

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50', QUEUE_LOCK_MS: '2000' });
    for (let index = 0; index < TENANTS; index += 1) {
      const { id, locationId } = await createOrganization(env);
      tenants.push(id);
      await env.query(
        `with product as (
           insert into products (organization_id, id, sku, name, currency)
           select $1, gen_random_uuid(), n::text, 'P', 'GBP' from generate_series(1, $3::int) n returning id)
         insert into stock_levels (organization_id, product_id, location_id, available, low_stock_threshold)
         select $1, product.id, $2, 50, 50 from product`,
        [id, locationId, LEVELS],
      );
    }
    workers = await Promise.all([start(), start(), start()]);
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
    await env.dispose();
  });

  /** Changes some levels at a time, in the order of their key as everybody does, until it is told to stop. */
  async function write(stopped: () => boolean): Promise<void> {
    const client = await env.connectAs('app');
    try {
      while (!stopped()) {
        const tenant = tenants[Math.floor(Math.random() * TENANTS)]!;
        await client.query('begin');
        await client.query("select set_config('app.tenant_id', $1, true)", [tenant]);
        const { rows } = await client.query<{ product_id: string }>(
          'select product_id from stock_levels where organization_id = $1 and random() < 0.1 order by product_id for update',
          [tenant],
        );
        await client.query(
          `update stock_levels set available = (random() * 100)::bigint
           where organization_id = $1 and product_id = any ($2::uuid[])`,
          [tenant, rows.map((row) => row.product_id)],
        );
        await client.query(Math.random() < 0.2 ? 'rollback' : 'commit');
      }
    } finally {
      await client.end();
    }
  }

  it('leave no crossing behind, and tell of each alert once', async () => {
    let stop = false;
    const writers = Array.from({ length: WRITERS }, () => write(() => stop));
    try {
      await waitFor(async () => (await alerts()) > LEVELS, { what: 'alerts', timeoutMs: 60_000 });
      await Promise.all(workers.splice(0, 2).map((worker) => worker.kill('SIGKILL')));
      workers.push(await start());
      const before = await alerts();
      await waitFor(async () => (await alerts()) > before + LEVELS, { what: 'alerts after it', timeoutMs: 60_000 });
    } finally {
      stop = true;
      await Promise.all(writers);
    }
    const open = `jobs where type = 'inventory.low_stock' and state in ('queued', 'running')`;
    await waitFor(async () => (await count(open)) === 0, { what: 'all jobs to end', timeoutMs: 90_000 });
    expect([await wrong(), await count('stock_crossings'), await count('dead_letters')]).toEqual([0, 0, 0]);
    expect(await count("outbox where topic = 'stock_alert.opened'")).toBe(await alerts());
    expect(await count("outbox where topic = 'stock_alert.resolved'")).toBe(
      await count('stock_alerts where resolved_at is not null'),
    );
  });
});
