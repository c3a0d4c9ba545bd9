/** Levels against the sum of their movements: what is broken is found and put right, and what is under way is not broken. */
import { Test, type TestingModule } from '@nestjs/testing';
import { AuditModule } from '#libs/audit';
import { CatalogModule } from '#libs/catalog';
import { TenantDatabase } from '#libs/database';
import { newId } from '#libs/kernel';
import { OrderService, OrdersModule } from '#libs/orders';
import type { JobContext, JobStep } from '#libs/queues';
import {
  asTenant,
  createOrganization,
  createTestEnvironment,
  platformModules,
  type TestEnvironment,
  type TestOrganization,
} from '#libs/testing';
import { InventoryModule } from '../inventory.module';
import { AdjustmentService } from '../adjustment.service';
import { INVENTORY_RECONCILE, INVENTORY_REPAIR } from './reconcile.jobs';
import { type ReconcileCheckpoint, Reconciliation } from './reconciliation';

describe('reconciliation', () => {
  let env: TestEnvironment;
  let app: TestingModule;
  let shop: TestOrganization;

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({
      imports: [...platformModules(env.config), AuditModule, CatalogModule, InventoryModule, OrdersModule],
      providers: [Reconciliation],
    }).compile();
    await app.init();
  });
  afterAll(async () => {
    await app.close();
    await env.dispose();
  });
  beforeEach(async () => {
    shop = await createOrganization(env);
  });

  /** Products with stock, put in by the adjustments that the api makes. */
  async function stocked(count: number, units = 1_000): Promise<string[]> {
    const skus = Array.from({ length: count }, (_, index) => `SKU-${String(index).padStart(4, '0')}`);
    await env.query(
      `insert into products (organization_id, id, sku, name, currency, price_minor)
       select $1, id, sku, sku, 'GBP', 100 from unnest($2::text[], $3::uuid[]) p (sku, id)`,
      [shop.id, skus, skus.map(() => newId()).sort()],
    );
    const lines = skus.map((sku) => ({ sku, delta: units }));
    await asTenant(app, shop, () => app.get(AdjustmentService).adjust(newId(), { reason: 'opening', lines }));
    return skus;
  }

  /** As the runner does it, except that nothing guards the checkpoint; a `stopAfter` ends the run like a lost worker. */
  function reconcile({ repairs = false, checkpoint = null as ReconcileCheckpoint | null, stopAfter = Infinity } = {}) {
    const steps: JobStep<ReconcileCheckpoint>[] = [];
    const context = {
      ...{ jobId: newId(), payload: {}, checkpoint, log: () => undefined },
      commit: async (step: JobStep<ReconcileCheckpoint>) => {
        if (steps.length >= stopAfter) throw new Error('lost');
        steps.push(step);
        return step.statements.length > 0 ? app.get(TenantDatabase).batch(step.statements) : [];
      },
    } as unknown as JobContext<object, ReconcileCheckpoint>;
    const run = asTenant(app, shop, () => app.get(Reconciliation).run(context, { repairs }));
    return { steps, run };
  }
  const reconciled = (repairs = false) => reconcile({ repairs }).run;

  const corrupt = (sku: string, change: string) =>
    env.query(
      `update stock_levels set ${change} where organization_id = $1
         and product_id = (select id from products where organization_id = $1 and sku = $2)`,
      [shop.id, sku],
    );
  const levels = () =>
    env.query(
      `select p.sku, l.available::int, l.allocated::int, l.held::int, l.unavailable::int
       from stock_levels l join products p on p.organization_id = l.organization_id and p.id = l.product_id
       where l.organization_id = $1 order by p.sku`,
      [shop.id],
    );

  it('lets tenants look, and nobody repair by asking for a job', () => {
    expect([INVENTORY_RECONCILE.creatable, INVENTORY_RECONCILE.schedulable]).toEqual([true, true]);
    expect([INVENTORY_REPAIR.creatable, INVENTORY_REPAIR.schedulable]).toEqual([false, false]);
    expect(INVENTORY_REPAIR).toMatchObject({ class: 'normal', idempotency: 'checkpointed' });
  });

  it('finds nothing where nothing is wrong', async () => {
    await stocked(3);
    expect(await reconciled()).toEqual({ levels: 3, differences: 0, repaired: 0, first: [] });
  });

  it('finds what is broken, changes nothing, and repairs only when it is told to', async () => {
    const [one, two] = await stocked(5);
    await corrupt(one!, 'available = available + 7');
    await corrupt(two!, 'available = available - 2, allocated = allocated + 2');
    await env.query(
      `delete from stock_levels where organization_id = $1
         and product_id = (select id from products where organization_id = $1 and sku = 'SKU-0004')`,
      [shop.id],
    );
    const before = await levels();
    const found = await reconciled();
    expect(found).toMatchObject({ levels: 5, differences: 3, repaired: 0 });
    expect(found.first.map(({ sku, on_hand, moved, missing }) => [sku, on_hand, moved, missing.available])).toEqual([
      ['SKU-0000', '1007', '1000', '7'],
      ['SKU-0001', '1000', '1000', '-2'],
      ['SKU-0004', '0', '1000', '-1000'],
    ]);
    expect(await reconciled()).toEqual(found);

    expect(await reconciled(true)).toMatchObject({ levels: 5, differences: 3, repaired: 3 });
    expect(await levels()).toEqual(before);
    expect(await reconciled()).toMatchObject({ differences: 0 });
    const written = await env.query(
      `select m.type, m.reason, m.available_change::int as available, m.allocated_change::int as allocated, m.reference_type
       from stock_movements m where m.organization_id = $1 and m.reason = 'reconciliation' order by available desc`,
      [shop.id],
    );
    const as = { type: 'adjustment', reason: 'reconciliation', reference_type: 'job' };
    expect(written).toEqual([
      { ...as, available: 7, allocated: 0 },
      { ...as, available: -2, allocated: 2 },
      { ...as, available: -1000, allocated: 0 },
    ]);
    const audited = await env.query<{ target_id: string; data: Record<string, string> }>(
      "select target_id, data from audit_log where organization_id = $1 and action = 'stock.reconciled' order by id",
      [shop.id],
    );
    expect(audited.map(({ data }) => [data.on_hand, data.moved, data.available])).toEqual([
      ['1007', '1000', '7'],
      ['1000', '1000', '-2'],
      ['0', '1000', '-1000'],
    ]);
  });

  it('writes a correction once, though two repairs run at once', async () => {
    const skus = await stocked(20);
    for (const sku of skus) await corrupt(sku, 'available = available + 1');
    await Promise.all(Array.from({ length: 6 }, () => reconciled(true)));
    const [count] = await env.query<{ n: number }>(
      "select count(*)::int as n from stock_movements where organization_id = $1 and reason = 'reconciliation'",
      [shop.id],
    );
    expect(count!.n).toBe(20);
    expect(await reconciled()).toMatchObject({ levels: 20, differences: 0 });
  });

  it('goes on from its checkpoint, page by page, and names the first hundred', async () => {
    const skus = await stocked(450);
    for (const sku of skus.slice(0, 150)) await corrupt(sku, 'held = held + 1');
    const lost = reconcile({ stopAfter: 1 });
    await expect(lost.run).rejects.toThrow('lost');
    const again = reconcile({ checkpoint: lost.steps[0]!.checkpoint });
    const result = await again.run;
    expect(again.steps.map(({ processed }) => processed)).toEqual([400, 450]);
    expect(result).toMatchObject({ levels: 450, differences: 150 });
    expect(result.first.map(({ sku }) => sku)).toEqual(skus.slice(0, 100));
  });

  it('takes nothing under way for a difference, while many order, fulfil, cancel and adjust', async () => {
    const skus = await stocked(40, 100_000);
    const broken = skus[20]!;
    let stopped = false;
    let flights = 0;
    const pick = () => skus[Math.floor(Math.random() * skus.length)]!;
    const writer = async () => {
      while (!stopped) {
        const lines = Array.from({ length: 4 }, () => ({ kind: 'goods' as const, sku: pick(), quantity: 1 }));
        await asTenant(app, shop, async () => {
          const { body: order } = await app.get(OrderService).create(newId(), { currency: 'GBP', lines });
          const action = Math.random() < 0.5 ? 'fulfil' : 'cancel';
          await app.get(OrderService).advance({ id: order.id, action, key: newId(), version: undefined });
          const change = { reason: 'spec', lines: [{ sku: pick(), delta: 1 }] };
          await app.get(AdjustmentService).adjust(newId(), change);
        });
        flights += 3;
      }
    };
    const writers = Promise.all(Array.from({ length: 8 }, writer));
    try {
      for (let round = 0; round < 40; round += 1)
        expect(await reconciled(round % 2 === 1)).toMatchObject({ levels: 40, differences: 0, repaired: 0 });
      // The same eyes see one unit too many, in the middle of it all.
      await corrupt(broken, 'available = available + 1');
      expect(await reconciled()).toMatchObject({ differences: 1, first: [{ sku: broken }] });
      expect(await reconciled(true)).toMatchObject({ repaired: 1 });
      expect(await reconciled()).toMatchObject({ differences: 0 });
    } finally {
      stopped = true;
      await writers;
    }
    expect(flights).toBeGreaterThan(100);
    expect(await reconciled()).toMatchObject({ levels: 40, differences: 0 });
  });

  it('sees nothing of another tenant', async () => {
    const other = shop;
    const [sku] = await stocked(2);
    await corrupt(sku!, 'available = available + 1');
    shop = await createOrganization(env);
    expect(await reconciled(true)).toEqual({ levels: 0, differences: 0, repaired: 0, first: [] });
    shop = other;
    expect(await reconciled()).toMatchObject({ levels: 2, differences: 1 });
  });
});
