/** Alerts of levels that cross their threshold: each crossing is noted with it, and jobs that look bring the alerts to what the levels say. */
import { Test, type TestingModule } from '@nestjs/testing';
import { AuditModule } from '#libs/audit';
import { CatalogModule } from '#libs/catalog';
import { TenantDatabase } from '#libs/database';
import { newId } from '#libs/kernel';
import { OrderService, OrdersModule, ReturnService } from '#libs/orders';
import { type JobContext, type JobStep, UpkeepTasks } from '#libs/queues';
import {
  asTenant,
  createOrganization,
  createTestEnvironment,
  platformModules,
  type TestEnvironment,
  type TestOrganization,
} from '#libs/testing';
import { AdjustmentService } from '../adjustment.service';
import { InventoryModule } from '../inventory.module';
import { stockCountStatements } from '../stock-count.statements';
import { ThresholdService } from '../threshold/threshold.service';
import { type AlertCheckpoint, AlertChecks } from './alert-checks';
import { AlertUpkeep } from './alert-upkeep.task';
import { LOW_STOCK } from './low-stock.jobs';
import { StockAlertService } from './stock-alert.service';

type Context = JobContext<object, AlertCheckpoint>;

interface Alert {
  readonly sku: string;
  readonly available: number;
  readonly lowest: number;
  readonly open: boolean;
}

describe('stock alerts', () => {
  let env: TestEnvironment;
  let app: TestingModule;
  let shop: TestOrganization;
  const products = new Map<string, string>();

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({
      imports: [...platformModules(env.config), AuditModule, CatalogModule, InventoryModule, OrdersModule],
      providers: [AlertChecks],
    }).compile();
    await app.init();
  });
  afterAll(async () => {
    await app.close();
    await env.dispose();
  });
  beforeEach(async () => {
    shop = await createOrganization(env);
    products.clear();
  });

  const inShop = <T>(work: () => Promise<T>): Promise<T> => asTenant(app, shop, work);
  async function stocked(skus: readonly string[], units: number): Promise<void> {
    for (const sku of skus) products.set(sku, newId());
    await env.query(
      `insert into products (organization_id, id, sku, name, currency, price_minor)
       select $1, id, sku, sku, 'GBP', 100 from unnest($2::text[], $3::uuid[]) p (sku, id)`,
      [shop.id, [...products.keys()], [...products.values()]],
    );
    await change(skus.map((sku) => ({ sku, delta: units })));
  }
  const change = (lines: { sku: string; delta: number }[]) =>
    inShop(() => app.get(AdjustmentService).adjust(newId(), { reason: 'spec', lines }));
  const limit = (sku: string, threshold: number | null, version?: number) =>
    inShop(() =>
      app.get(ThresholdService).set({ productId: products.get(sku)!, locationId: shop.locationId, threshold, version }),
    );
  const order = async (sku: string, quantity: number) =>
    (
      await inShop(() =>
        app.get(OrderService).create(newId(), { currency: 'GBP', lines: [{ kind: 'goods', sku, quantity }] }),
      )
    ).body;
  const advance = (id: string, action: 'cancel' | 'fulfil') =>
    inShop(() => app.get(OrderService).advance({ id, action, key: newId(), version: undefined }));

  /** As the runner does it; a `stopAfter` ends the run like a lost worker, before or after the step has committed. */
  function context(stopAfter = Infinity): Context {
    let steps = 0;
    return {
      ...{ jobId: newId(), payload: {}, checkpoint: null, log: () => undefined },
      commit: async (step: JobStep<AlertCheckpoint>) => {
        if (steps++ >= stopAfter) throw new Error('lost');
        return step.statements.length > 0 ? app.get(TenantDatabase).batch(step.statements) : [];
      },
    } as unknown as Context;
  }
  const take = async () =>
    (
      await env.query<{ id: string }>(
        `update jobs set state = 'running' where organization_id = $1 and id = (
           select id from jobs where organization_id = $1 and type = 'inventory.low_stock' and state = 'queued'
           order by id limit 1 for update skip locked) returning id`,
        [shop.id],
      )
    )[0]?.id;
  const set = (id: string, state: string) =>
    env.query('update jobs set state = $3 where organization_id = $1 and id = $2', [shop.id, id, state]);
  /** Runs one job that a crossing has queued; false when there is none. */
  async function runOne(lost = false): Promise<boolean> {
    const id = await take();
    if (id === undefined) return false;
    try {
      await inShop(() => app.get(AlertChecks).noted(context(lost ? 0 : Infinity)));
      await set(id, 'completed');
    } catch (error) {
      if (!lost) throw error;
      await set(id, 'queued');
    }
    return true;
  }
  async function runQueued(): Promise<number> {
    let runs = 0;
    while (await runOne()) runs += 1;
    return runs;
  }

  /** What the worker does for each organization now and then. */
  const upkeep = () =>
    inShop(() => new AlertUpkeep(app.get(TenantDatabase), new UpkeepTasks(), { STOCK_ALERT_RETENTION_DAYS: 90 }).run());
  const alerts = () =>
    env.query<Alert>(
      `select p.sku, a.available::int, a.lowest_available::int as lowest, a.resolved_at is null as open
       from stock_alerts a join products p on p.organization_id = a.organization_id and p.id = a.product_id
       where a.organization_id = $1 order by a.opened_at, a.id`,
      [shop.id],
    );
  const count = async (what: string) =>
    (await env.query<{ n: number }>(`select count(*)::int as n from ${what} and organization_id = $1`, [shop.id]))[0]!
      .n;
  const events = (verb: string) => count(`outbox where topic = 'stock_alert.${verb}'`);
  const queued = () => count(`jobs where type = 'inventory.low_stock' and state = 'queued'`);
  const notes = () => count('stock_crossings where true');
  /** Levels whose open alert is not what they say. */
  const wrong = () =>
    count(`stock_levels l where coalesce(available <= low_stock_threshold, false) <> exists (
      select from stock_alerts a where a.organization_id = l.organization_id and a.product_id = l.product_id
        and a.location_id = l.location_id and a.resolved_at is null)`);

  it('writes nothing where no threshold is set, nor where it is not crossed', async () => {
    await stocked(['A', 'B'], 10);
    await limit('B', 3);
    await order('A', 9);
    await order('B', 6);
    await change([{ sku: 'B', delta: -1 + 2 }]);
    expect([await notes(), await queued()]).toEqual([0, 0]);
  });

  it('opens at the threshold, keeps how low it came, resolves above it, and tells of both', async () => {
    await stocked(['A'], 10);
    await limit('A', 3);
    const { id } = await order('A', 7);
    expect([await notes(), await queued()]).toEqual([1, 1]);
    expect(await runQueued()).toBe(1);
    expect(await alerts()).toEqual([{ sku: 'A', available: 3, lowest: 3, open: true }]);
    await order('A', 2);
    expect(await queued()).toBe(0);
    await advance(id, 'cancel');
    expect(await runQueued()).toBe(1);
    expect(await alerts()).toEqual([{ sku: 'A', available: 3, lowest: 3, open: false }]);
    const told = await env.query<{ topic: string; payload: object; same: boolean }>(
      `select topic, payload, aggregate_id = (payload->>'alert_id')::uuid as same from outbox
       where organization_id = $1 and aggregate_type = 'stock_alert' order by created_at, id`,
      [shop.id],
    );
    const facts = { product_id: products.get('A'), location_id: shop.locationId, threshold: 3 };
    expect(told).toMatchObject([
      { topic: 'stock_alert.opened', same: true, payload: { ...facts, available: 3, resolved_at: null } },
      { topic: 'stock_alert.resolved', same: true, payload: { ...facts, available: 8, lowest_available: 3 } },
    ]);
  });

  it('notes a crossing by whatever changes the level', async () => {
    await stocked(['A'], 10);
    const counted = (quantity: number) =>
      inShop(() =>
        app.get(TenantDatabase).batch(
          stockCountStatements({
            counts: [{ line: 1, sku: 'A', location: null, quantity }],
            origin: {
              ...{ actor: { type: 'system', id: null }, reason: 'count', occurredAt: new Date() },
              reference: { type: 'job', id: newId() },
            },
            problems: { name: 'alerts_spec_problems', wrap: (select) => select },
          }),
        ),
      );
    const { id, lines } = await order('A', 1);
    const ways: readonly (readonly [what: string, low: boolean, way: () => Promise<unknown>])[] = [
      ['threshold', true, () => limit('A', 9)],
      ['threshold off', false, () => limit('A', null)],
      ['threshold again', true, () => limit('A', 9)],
      ['adjustment', false, () => change([{ sku: 'A', delta: 10 }])],
      ['count', true, () => counted(4)],
      ['count up', false, () => counted(30)],
      ['order', true, () => order('A', 25)],
      ['fulfilment moves nothing that is available', true, () => advance(id, 'fulfil')],
      ['threshold lowered', false, () => limit('A', 2)],
      ['adjustment down', true, () => change([{ sku: 'A', delta: -3 }])],
      [
        'correction by hand',
        false,
        () => env.query('update stock_levels set available = 3 where organization_id = $1', [shop.id]),
      ],
      [
        'correction down',
        true,
        () => env.query('update stock_levels set available = 2 where organization_id = $1', [shop.id]),
      ],
      [
        'return',
        false,
        () =>
          inShop(() =>
            app.get(ReturnService).create(newId(), {
              ...{ order_id: id, reason: 'r', currency: 'GBP' },
              lines: [{ kind: 'goods', order_line_id: lines[0]!.id, quantity: 1 }],
            } as never),
          ),
      ],
    ];
    let before = false;
    for (const [what, low, way] of ways) {
      await way();
      expect([what, await notes(), await queued()]).toEqual([what, ...(low === before ? [0, 0] : [1, 1])]);
      await runQueued();
      expect([what, (await alerts()).filter(({ open }) => open).length]).toEqual([what, low ? 1 : 0]);
      before = low;
    }
    expect(await wrong()).toBe(0);
  });

  it('is low from the start where a threshold is set for a level that has never had stock', async () => {
    await stocked(['A'], 1);
    await env.query('delete from stock_levels where organization_id = $1', [shop.id]);
    expect(await limit('A', 0)).toMatchObject({ available: 0, is_low: true, version: 1, low_stock_threshold: 0 });
    await runQueued();
    expect(await alerts()).toEqual([{ sku: 'A', available: 0, lowest: 0, open: true }]);
  });

  it('leaves nothing of a change that is rolled back', async () => {
    await stocked(['A'], 10);
    await limit('A', 9);
    await expect(
      change([
        { sku: 'A', delta: -5 },
        { sku: 'NONE', delta: 1 },
      ]),
    ).rejects.toThrow();
    await expect(order('A', 11)).rejects.toMatchObject({ code: 'insufficient_stock' });
    expect([await notes(), await queued()]).toEqual([0, 0]);
  });

  it('makes one note and one job of a level that flaps, and of many that cross', async () => {
    const skus = Array.from({ length: 60 }, (_, index) => `S${index}`);
    await stocked(skus, 10);
    for (const sku of skus) await limit(sku, 5);
    for (let flap = 0; flap < 10; flap += 1) {
      await change(skus.map((sku) => ({ sku, delta: -5 })));
      await change(skus.map((sku) => ({ sku, delta: 5 })));
    }
    expect([await notes(), await queued()]).toEqual([60, 1]);
    const [waits] = await env.query<{ seconds: number }>(
      `select extract(epoch from run_at - created_at)::float as seconds from jobs
       where organization_id = $1 and type = 'inventory.low_stock'`,
      [shop.id],
    );
    expect(waits!.seconds).toBeGreaterThan(4);
    expect(await runQueued()).toBe(1);
    expect([await notes(), (await alerts()).length]).toEqual([0, 0]);
  });

  it('queues another job for what crosses while one runs', async () => {
    await stocked(['A'], 10);
    await limit('A', 10);
    const running = await take();
    await limit('A', 9);
    expect(await queued()).toBe(1);
    await inShop(() => app.get(AlertChecks).noted(context()));
    await set(running!, 'completed');
    expect(await runQueued()).toBe(1);
    expect(await wrong()).toBe(0);
  });

  it('relies on no job that waits with a checkpoint, which may be past the level', async () => {
    const skus = Array.from({ length: 150 }, (_, index) => `S${index}`);
    await stocked(skus, 10);
    await env.query('update stock_levels set low_stock_threshold = 10 where organization_id = $1', [shop.id]);
    const id = (await take())!;
    let checkpoint: AlertCheckpoint | null = null;
    let steps = 0;
    const resumed = (stopAfter: number): Context =>
      ({
        ...{ jobId: id, payload: {}, checkpoint, log: () => undefined },
        commit: async (step: JobStep<AlertCheckpoint>) => {
          if (steps++ >= stopAfter) throw new Error('handed back');
          checkpoint = step.checkpoint;
          return step.statements.length > 0 ? app.get(TenantDatabase).batch(step.statements) : [];
        },
      }) as unknown as Context;
    await expect(inShop(() => app.get(AlertChecks).noted(resumed(1)))).rejects.toThrow('handed back');
    await env.query("update jobs set state = 'queued', checkpoint = $3 where organization_id = $1 and id = $2", [
      ...[shop.id, id, JSON.stringify(checkpoint)],
    ]);
    const [done] = await env.query<{ product_id: string }>(
      `select product_id from stock_levels where organization_id = $1 order by product_id limit 1`,
      [shop.id],
    );
    const sku = [...products].find(([, product]) => product === done!.product_id)![0];
    await change([{ sku, delta: 5 }]);
    expect(await take()).toBe(id);
    await inShop(() => app.get(AlertChecks).noted(resumed(Infinity)));
    await set(id, 'completed');
    await runQueued();
    expect([await wrong(), await notes()]).toEqual([0, 0]);
  });

  it('keeps the job that a crossing relies on from starting before the crossing has committed', async () => {
    await stocked(['A', 'B'], 10);
    await limit('A', 10);
    await limit('B', 5);
    const crossing = await env.connectAs('app');
    const starting = await env.connectAs('app');
    try {
      for (const client of [crossing, starting]) {
        await client.query('begin');
        await client.query("select set_config('app.tenant_id', $1, true)", [shop.id]);
      }
      await crossing.query('update stock_levels set available = 5 where organization_id = $1 and product_id = $2', [
        ...[shop.id, products.get('B')],
      ]);
      await starting.query("set local lock_timeout = '200ms'");
      const start = "update jobs set state = 'running' where organization_id = $1 and type = 'inventory.low_stock'";
      await expect(starting.query(start, [shop.id])).rejects.toMatchObject({ code: '55P03' });
      expect(await queued()).toBe(1);
      await crossing.query('commit');
    } finally {
      await Promise.all([crossing.end(), starting.end()]);
    }
    expect([await queued(), await runQueued(), await wrong()]).toEqual([1, 1, 0]);
  });

  it('waits for no job that somebody has begun to start, and queues another one', async () => {
    await stocked(['A', 'B'], 10);
    await limit('A', 10);
    await limit('B', 5);
    const starting = await env.connectAs('app');
    try {
      await starting.query('begin');
      await starting.query("select set_config('app.tenant_id', $1, true)", [shop.id]);
      await starting.query("update jobs set state = 'running' where organization_id = $1", [shop.id]);
      await change([{ sku: 'B', delta: -5 }]);
      await starting.query('commit');
    } finally {
      await starting.end();
    }
    expect([await queued(), await runQueued(), await wrong()]).toEqual([1, 1, 0]);
  });

  it('writes the very job that is registered', async () => {
    await stocked(['A'], 1);
    await limit('A', 1);
    const rows = await env.query<object>(
      `select j.type, j.class, j.payload, o.topic, o.id = j.id as same, o.payload as message
       from jobs j join outbox o on o.organization_id = j.organization_id and o.aggregate_id = j.id where j.organization_id = $1`,
      [shop.id],
    );
    const { type, class: jobClass, version } = LOW_STOCK;
    expect(rows).toMatchObject([
      {
        type,
        class: jobClass,
        payload: { version, data: {} },
        topic: 'job.queued',
        same: true,
        message: { type, version },
      },
    ]);
  });

  it('goes by what the mover copies, and notes nothing of it', async () => {
    await stocked(['A', 'B'], 10);
    const mover = await env.connectAs('mover');
    try {
      await mover.query('begin');
      await mover.query("select set_config('app.tenant_id', $1, true)", [shop.id]);
      await mover.query('update stock_levels set low_stock_threshold = 10 where organization_id = $1', [shop.id]);
      await mover.query('delete from stock_levels where organization_id = $1 and product_id = $2', [
        ...[shop.id, products.get('B')],
      ]);
      await mover.query(
        `insert into stock_levels (organization_id, product_id, location_id, available, low_stock_threshold) values ($1, $2, $3, 1, 2)`,
        [shop.id, products.get('B'), shop.locationId],
      );
      await mover.query('commit');
    } finally {
      await mover.end();
    }
    expect([await notes(), await queued(), await wrong()]).toEqual([0, 0, 2]);
  });

  it('runs nothing of its caller, whose own names would come before the catalog’s', async () => {
    await stocked(['A'], 10);
    await limit('A', 3);
    const client = await env.connectAs('app');
    try {
      await client.query(`
        create function pg_temp.new_id() returns uuid language plpgsql as $$ begin raise exception 'trap'; end $$;
        create function pg_temp.clock_timestamp() returns timestamptz language plpgsql as $$ begin raise exception 'trap'; end $$;
        create temporary table jobs (like public.jobs); create temporary table stock_crossings (like public.stock_crossings);
        create temporary table outbox (like public.outbox)`);
      await client.query('begin');
      await client.query("select set_config('app.tenant_id', $1, true)", [shop.id]);
      await client.query('set local search_path = pg_temp, public, pg_catalog');
      await client.query('update stock_levels set available = 1 where organization_id = $1', [shop.id]);
      await client.query('commit');
    } finally {
      await client.end();
    }
    expect([await notes(), await queued()]).toEqual([1, 1]);
  });

  it('finds by the job over all levels what nobody noted, page by page, and changes nothing the second time', async () => {
    const skus = Array.from({ length: 250 }, (_, index) => `S${index}`);
    await stocked(skus, 10);
    await env.query('alter table stock_levels disable trigger user');
    try {
      await env.query('update stock_levels set low_stock_threshold = 10 where organization_id = $1', [shop.id]);
    } finally {
      await env.query('alter table stock_levels enable trigger user');
    }
    const all = () => inShop(() => app.get(AlertChecks).all(context()));
    await expect(inShop(() => app.get(AlertChecks).all(context(1)))).rejects.toThrow('lost');
    expect([await all(), await wrong()]).toEqual([{ levels: 250, opened: 150, resolved: 0 }, 0]);
    await change([{ sku: 'S7', delta: -4 }]);
    expect(await all()).toEqual({ levels: 250, opened: 0, resolved: 0 });
    expect((await alerts()).filter(({ lowest }) => lowest === 6).map(({ sku }) => sku)).toEqual(['S7']);
    await env.query('update stock_levels set low_stock_threshold = null where organization_id = $1', [shop.id]);
    await Promise.all([all(), all(), all()]);
    expect([await wrong(), await events('opened'), await events('resolved')]).toEqual([0, 250, 250]);
  });

  it('makes a job for notes whose own was cancelled', async () => {
    await stocked(['A'], 1);
    await limit('A', 1);
    await set((await take())!, 'cancelled');
    await upkeep();
    expect(await queued()).toBe(0);
    await env.query("update stock_crossings set crossed_at = now() - interval '6 minutes' where organization_id = $1", [
      shop.id,
    ]);
    await upkeep();
    expect(await queued()).toBe(1);
    await upkeep();
    expect(await queued()).toBe(1);
  });

  it('deletes what was resolved long ago, and nothing that is open', async () => {
    await stocked(['A', 'B', 'C'], 1);
    for (const sku of ['A', 'B', 'C']) await limit(sku, 1);
    await runQueued();
    await change([
      { sku: 'A', delta: 5 },
      { sku: 'B', delta: 5 },
    ]);
    await runQueued();
    await env.query(
      `update stock_alerts set opened_at = now() - interval '400 days', resolved_at = case when resolved_at is not null and product_id = $2 then now() - interval '91 days' else resolved_at end
       where organization_id = $1`,
      [shop.id, products.get('A')],
    );
    await upkeep();
    expect((await alerts()).map(({ sku }) => sku).sort()).toEqual(['B', 'C']);
  });

  it('keeps the first who acknowledges, however many do at once, with one entry in the audit log', async () => {
    await stocked(['A'], 1);
    await limit('A', 1);
    await runQueued();
    const service = app.get(StockAlertService);
    const [found] = await inShop(() => service.list({ limit: 10, state: 'open' }));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => inShop(() => service.acknowledge(found!.id, undefined))),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ version: 2, state: 'open', acknowledged_by: { type: 'system', id: null } });
    expect(await count(`audit_log where action = 'stock_alert.acknowledged'`)).toBe(1);
    await expect(inShop(() => service.acknowledge(found!.id, 1))).rejects.toMatchObject({ code: 'version_mismatch' });
    await expect(inShop(() => service.acknowledge(newId(), undefined))).rejects.toMatchObject({ code: 'not_found' });
  });

  it('changes no threshold from a version that is not the newest, and tells the audit log of those it changes', async () => {
    await stocked(['A'], 1);
    expect(await limit('A', 5, 0)).toMatchObject({ version: 1, is_low: true });
    await change([{ sku: 'A', delta: 100 }]);
    await expect(limit('A', 6, 0)).rejects.toMatchObject({ code: 'version_mismatch' });
    expect(await limit('A', 6, 1)).toMatchObject({ version: 2, is_low: false, available: 101 });
    expect(await count(`audit_log where action = 'stock_threshold.set'`)).toBe(2);
    products.set('NONE', newId());
    await expect(limit('NONE', 6)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('shows in the end what a model says, whoever changes what in whichever order, with jobs lost and repeated between', async () => {
    const skus = ['A', 'B', 'C', 'D', 'E'];
    await stocked(skus, 50);
    const random = (below: number) => Math.floor(Math.random() * below);
    const orders: string[] = [];
    const refusals: unknown[] = [];
    const steps = [
      () => change([{ sku: skus[random(5)]!, delta: random(2) ? 1 + random(15) : -1 - random(15) }]),
      () => change(skus.map((sku) => ({ sku, delta: random(2) ? 6 : -6 }))),
      () => limit(skus[random(5)]!, random(4) ? random(60) : null),
      async () => orders.push((await order(skus[random(5)]!, 1 + random(20))).id),
      () => (orders.length > 0 ? advance(orders.splice(random(orders.length), 1)[0]!, 'cancel') : Promise.resolve()),
      () => runOne(random(3) === 0),
      () => inShop(() => app.get(AlertChecks).noted(context())),
      () => inShop(() => app.get(AlertChecks).all(context())),
    ];
    const refuses = ({ code }: { code?: string }) => {
      if (code !== 'insufficient_stock') throw new Error(`Refused by ${String(code)}`);
      refusals.push(code);
    };
    const worker = async () => {
      for (let step = 0; step < 60; step += 1) {
        await steps[random(step % 10 === 0 ? steps.length : 6)]!().catch(refuses);
      }
    };
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(Array.from({ length: 7 }, worker));
      // What is not settled is noted, and what is noted has a job that waits.
      const unnoted = await count(`stock_levels l where coalesce(available <= low_stock_threshold, false) <> exists (
          select from stock_alerts a where a.organization_id = l.organization_id and a.product_id = l.product_id and a.resolved_at is null)
        and not exists (select from stock_crossings c where c.organization_id = l.organization_id and c.product_id = l.product_id)`);
      expect(unnoted).toBe(0);
      if ((await notes()) > 0) expect(await queued()).toBeGreaterThan(0);
      while (await runOne());
      expect([await wrong(), await notes()]).toEqual([0, 0]);
    }
    const all = await alerts();
    expect(all.length).toBeGreaterThan(5);
    expect(await events('opened')).toBe(all.length);
    expect(await events('resolved')).toBe(all.filter(({ open }) => !open).length);
    for (const sku of skus) {
      // Alerts of one level follow each other: each is resolved before the next one opens.
      const overlapping = await count(`stock_alerts a where product_id = '${products.get(sku)!}' and exists (
        select from stock_alerts b where b.organization_id = a.organization_id and b.product_id = a.product_id and b.id > a.id
          and (a.resolved_at is null or b.opened_at < a.opened_at))`);
      expect(overlapping).toBe(0);
    }
  });

  it('agrees step by step with a model that knows the whole history', async () => {
    await stocked(['A'], 20);
    const model: Alert[] = [];
    let [available, threshold] = [20, null as number | null];
    for (let step = 0; step < 120; step += 1) {
      if (Math.random() < 0.3) {
        threshold = Math.random() < 0.2 ? null : Math.floor(Math.random() * 25);
        await limit('A', threshold);
      } else {
        const delta = Math.floor(Math.random() * 40) - available;
        if (delta === 0) continue;
        await change([{ sku: 'A', delta }]);
        available += delta;
      }
      const low = threshold !== null && available <= threshold;
      const last = model.at(-1);
      if (low && !last?.open) model.push({ sku: 'A', available, lowest: available, open: true });
      else if (!low && last?.open) model[model.length - 1] = { ...last, open: false };
      await runQueued();
      if (Math.random() < 0.2) await inShop(() => app.get(AlertChecks).noted(context()));
      expect(await alerts()).toEqual(model);
    }
    expect(model.length).toBeGreaterThan(1);
  });
});
