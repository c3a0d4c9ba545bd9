/** Adjustments, counts and lists against a real database. */
import { Test, type TestingModule } from '@nestjs/testing';
import { CatalogModule, ProductService } from '#libs/catalog';
import { TenantDatabase } from '#libs/database';
import { newId } from '#libs/kernel';
import {
  asTenant,
  createOrganization,
  createTestEnvironment,
  platformModules,
  type TestEnvironment,
  type TestOrganization,
} from '#libs/testing';
import { ADJUSTMENT, type CreateAdjustment } from './adjustment.schema';
import { AdjustmentService } from './adjustment.service';
import { InventoryModule } from './inventory.module';
import { stockCountStatements } from './stock-count.statements';
import { StockService } from './stock.service';

describe('inventory', () => {
  let env: TestEnvironment;
  let app: TestingModule;
  let shop: TestOrganization;

  const as = <T>(work: () => Promise<T>) => asTenant(app, shop, work);
  const adjust = (lines: CreateAdjustment['lines']) =>
    as(() => app.get(AdjustmentService).adjust(newId(), { reason: 'spec', lines }));
  const product = async () => {
    const sku = `S-${newId()}`;
    await as(() => app.get(ProductService).create({ sku, name: sku, currency: 'GBP' }));
    return sku;
  };
  const level = async (sku: string) => (await as(() => app.get(StockService).levels({ limit: 10, sku })))[0];

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({
      imports: [...platformModules(env.config), CatalogModule, InventoryModule],
    }).compile();
    await app.init();
    shop = await createOrganization(env);
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  it('puts stock in, writes it off and counts it, each as a movement, and answers with its documented shape', async () => {
    const sku = await product();
    const reply = await adjust([{ sku, delta: 10 }]);
    expect(ADJUSTMENT.validate(reply.body).issues).toBeUndefined();
    expect(reply.body.lines).toMatchObject([{ sku, quantity: 10, on_hand: 10, available: 10 }]);
    await adjust([{ sku, delta: -3 }]);
    await adjust([{ sku, quantity: 9, expected_quantity: 7 }]);
    await adjust([{ sku, delta: 2, bucket: 'unavailable' }]);
    expect(await level(sku)).toMatchObject({ on_hand: 11, available: 9, unavailable: 2 });
    const movements = await as(() =>
      app.get(StockService).movements({ limit: 10, product_id: reply.body.lines[0]!.product_id }),
    );
    expect(movements.map(({ type, quantity }) => [type, quantity])).toEqual([
      ['adjustment', 2],
      ['count', 2],
      ['adjustment', -3],
      ['adjustment', 10],
    ]);
  });

  it('sums deltas of one product and applies all lines or none', async () => {
    const [one, other] = [await product(), await product()];
    await adjust([
      { sku: one, delta: 5 },
      { sku: one, delta: -2 },
    ]);
    expect(await level(one)).toMatchObject({ on_hand: 3 });
    await expect(
      adjust([
        { sku: other, delta: 5 },
        { sku: one, delta: -4 },
      ]),
    ).rejects.toMatchObject({ code: 'insufficient_stock', param: 'lines[1].delta' });
    expect(await level(other)).toBeUndefined();
  });

  it('answers a stale count with what is on hand now', async () => {
    const sku = await product();
    await adjust([{ sku, delta: 4 }]);
    await expect(adjust([{ sku, quantity: 1, expected_quantity: 5 }])).rejects.toMatchObject({
      code: 'stale_quantity',
      category: 'conflict',
      details: { sku, current_quantity: 4 },
    });
  });

  it('lets one of many counts with the same expectation win', async () => {
    const sku = await product();
    await adjust([{ sku, delta: 4 }]);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => adjust([{ sku, quantity: index + 10, expected_quantity: 4 }])),
    );
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  it('loses no delta when many write at once, in opposite order of lines', async () => {
    const skus = [await product(), await product(), await product()];
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => {
        const lines = skus.map((sku) => ({ sku, delta: 1 }));
        return adjust(index % 2 === 0 ? lines : lines.reverse());
      }),
    );
    for (const sku of skus) expect(await level(sku)).toMatchObject({ on_hand: 40 });
  });

  it.each([
    [{ sku: 'X', product_id: newId(), delta: 1 }, 'lines[0].sku'],
    [{ sku: 'X' }, 'lines[0].delta'],
    [{ sku: 'X', delta: 1, quantity: 1 }, 'lines[0].delta'],
    [{ sku: 'X', delta: 1, expected_quantity: 1 }, 'lines[0].expected_quantity'],
    [{ sku: 'X', quantity: 1, bucket: 'available' as const }, 'lines[0].bucket'],
  ])('refuses the contradictory line %j', async (line, param) => {
    await expect(async () => adjust([line])).rejects.toMatchObject({ code: 'invalid_value', param });
  });

  it('refuses unknown products and locations, and a product counted twice, naming the line', async () => {
    const sku = await product();
    await expect(
      adjust([
        { sku, delta: 1 },
        { sku: 'NOPE', delta: 1 },
      ]),
    ).rejects.toMatchObject({ code: 'unknown_product', param: 'lines[1].sku' });
    await expect(adjust([{ product_id: newId(), delta: 1 }])).rejects.toMatchObject({
      code: 'unknown_product',
      param: 'lines[0].product_id',
    });
    await expect(adjust([{ sku, location: 'NOPE', delta: 1 }])).rejects.toMatchObject({ code: 'unknown_location' });
    await expect(
      adjust([
        { sku, quantity: 1 },
        { sku, quantity: 2 },
      ]),
    ).rejects.toMatchObject({ code: 'duplicate_line' });
  });

  it('pages levels and movement sums by key without gaps or repetitions', async () => {
    const other = await createOrganization(env);
    const skus: string[] = [];
    await asTenant(app, other, async () => {
      for (let index = 0; index < 7; index += 1) {
        const sku = `P-${index}`;
        skus.push(sku);
        await app.get(ProductService).create({ sku, name: sku, currency: 'GBP' });
        await app.get(AdjustmentService).adjust(newId(), { reason: 'in', lines: [{ sku, delta: index + 1 }] });
      }
    });
    const stock = app.get(StockService);
    const seen: string[] = [];
    let last: { product_id: string; location_id: string } | undefined;
    do {
      const cursor = last && Buffer.from(JSON.stringify([last.product_id, last.location_id])).toString('base64url');
      const rows = await asTenant(app, other, () => stock.movementSums({ limit: 3, ...(cursor ? { cursor } : {}) }));
      const shown = rows.slice(0, 3);
      for (const row of shown) expect(row).toMatchObject({ quantity: Number(row.sku.slice(2)) + 1, movements: 1 });
      seen.push(...shown.map((row) => row.sku));
      last = rows.length > 3 ? shown[2] : undefined;
    } while (last);
    expect(seen).toEqual(skus);
  });

  describe('counts of an import', () => {
    const count = async (counts: { sku: string; quantity: number; location?: string }[]) => {
      const results = await as(() =>
        app.get(TenantDatabase).batch(
          stockCountStatements({
            counts: counts.map((each, index) => ({ location: null, ...each, line: index + 2 })),
            origin: {
              actor: { type: 'job', id: newId() },
              reason: 'import',
              occurredAt: new Date(),
              reference: { type: 'job', id: newId() },
            },
            problems: { name: 'spec_problems', wrap: (select) => select },
          }),
        ),
      );
      return (results[results.length - 1]!.rows as { line: number; code: string }[])
        .map(({ line, code }) => [line, code])
        .sort();
    };

    it('set levels, twice without effect, and list every line that cannot be applied', async () => {
      const [one, committed] = [await product(), await product()];
      await adjust([{ sku: committed, delta: 5, bucket: 'unavailable' }]);
      const file = [
        { sku: one, quantity: 12 },
        { sku: 'GHOST-1', quantity: 1 },
        { sku: 'GHOST-2', quantity: 1 },
        { sku: committed, quantity: 3 },
        { sku: one, quantity: 1, location: 'NOWHERE' },
      ];
      const problems = [
        [3, 'unknown_product'],
        [4, 'unknown_product'],
        [5, 'count_below_committed'],
        [6, 'unknown_location'],
      ];
      expect(await count(file)).toEqual(problems);
      expect(await count(file)).toEqual(problems);
      expect(await level(one)).toMatchObject({ on_hand: 12 });
      expect(await level(committed)).toMatchObject({ on_hand: 5, unavailable: 5 });
      const sums = await as(() => app.get(StockService).movementSums({ limit: 100 }));
      expect(sums.find((sum) => sum.sku === one)).toMatchObject({ quantity: 12, movements: 1 });
    });
  });
});
