/** Orders and returns against a real database: stock is conserved whatever races, refusals leave nothing behind. */
import { Test, type TestingModule } from '@nestjs/testing';
import { CatalogModule, LocationService, ProductService } from '#libs/catalog';
import { AdjustmentService, InventoryModule, type StockLevel, StockService } from '#libs/inventory';
import { newId, StockyardError } from '#libs/kernel';
import {
  asTenant,
  createOrganization,
  createTestEnvironment,
  platformModules,
  type TestEnvironment,
  type TestOrganization,
} from '#libs/testing';
import fc from 'fast-check';
import { ORDER } from './order.schema';
import { OrderService } from './order.service';
import { OrdersModule } from './orders.module';
import { RETURN } from './return.schema';
import { ReturnService } from './return.service';

const CURRENCY = 'GBP';

describe('orders', () => {
  let env: TestEnvironment;
  let app: TestingModule;
  let shop: TestOrganization;
  let orders: OrderService;
  let returns: ReturnService;

  const as = <T>(work: () => Promise<T>) => asTenant(app, shop, work);
  const goods = (sku: string, quantity: number) => ({ kind: 'goods' as const, sku, quantity });
  const stocked = async (quantity: number, sku = `S-${newId()}`) => {
    await as(() => app.get(ProductService).create({ sku, name: sku, price_minor: 250, currency: CURRENCY }));
    if (quantity > 0) {
      await as(() =>
        app.get(AdjustmentService).adjust(newId(), { reason: 'opening', lines: [{ sku, delta: quantity }] }),
      );
    }
    return sku;
  };
  const level = async (sku: string): Promise<StockLevel | undefined> =>
    (await as(() => app.get(StockService).levels({ limit: 10, sku })))[0];
  const place = (lines: ReturnType<typeof goods>[], advance_to?: 'draft' | 'confirmed' | 'allocated' | 'fulfilled') =>
    as(() => orders.create(newId(), { currency: CURRENCY, ...(advance_to ? { advance_to } : {}), lines }));
  const code = (error: unknown) => (error instanceof StockyardError ? error.code : String(error));

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({
      imports: [...platformModules(env.config), CatalogModule, InventoryModule, OrdersModule],
    }).compile();
    await app.init();
    orders = app.get(OrderService);
    returns = app.get(ReturnService);
    shop = await createOrganization(env);
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  /** Every level equals the sum of its movements, bucket by bucket. */
  async function expectLedgerToBalance(): Promise<void> {
    const off = await env.query(
      `select l.product_id from stock_levels l left join stock_movements m
         using (organization_id, product_id, location_id)
       group by l.organization_id, l.product_id, l.location_id, l.available, l.held, l.allocated, l.unavailable
       having (l.available, l.held, l.allocated, l.unavailable) is distinct from (coalesce(sum(m.available_change), 0)::bigint,
         coalesce(sum(m.held_change), 0)::bigint, coalesce(sum(m.allocated_change), 0)::bigint, coalesce(sum(m.unavailable_change), 0)::bigint)`,
    );
    expect(off).toEqual([]);
  }

  it('takes goods, sums lines of one product, prices charges and discounts, and answers with its documented shape', async () => {
    const sku = await stocked(10);
    const reply = await as(() =>
      orders.create(newId(), {
        reference: 'R-1',
        currency: CURRENCY,
        lines: [
          goods(sku, 3),
          goods(sku, 4),
          { kind: 'charge', description: 'Postage', unit_price_minor: 499 },
          { kind: 'discount', description: 'Voucher', quantity: 2, unit_price_minor: -100 },
        ],
      }),
    );
    expect(ORDER.validate(reply.body).issues).toBeUndefined();
    expect(reply).toMatchObject({
      status: 201,
      replayed: false,
      body: { state: 'allocated', total_minor: 7 * 250 + 499 - 200 },
    });
    expect(await level(sku)).toMatchObject({ on_hand: 10, available: 3, allocated: 7 });
    await expect(as(() => orders.get(reply.body.id))).resolves.toEqual(reply.body);
    await expectLedgerToBalance();
  });

  it('accepts exactly 30 of 90 concurrent orders for 30 units', async () => {
    const sku = await stocked(30);
    const outcomes = await Promise.allSettled(Array.from({ length: 90 }, () => place([goods(sku, 1)])));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(60);
    expect(new Set(refused.map((outcome) => code(outcome.reason)))).toEqual(new Set(['insufficient_stock']));
    expect(await level(sku)).toMatchObject({ available: 0, allocated: 30 });
    await expectLedgerToBalance();
  });

  it('lets orders in opposite order of lines race without a deadlock surfacing', async () => {
    const skus = await Promise.all([40, 40, 40, 40].map((quantity) => stocked(quantity)));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, (_, index) => {
        const lines = skus.map((sku) => goods(sku, 1));
        return place(index % 2 === 0 ? lines : lines.reverse());
      }),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => code(outcome.reason));
    expect(refused).toEqual(Array(20).fill('insufficient_stock'));
    for (const sku of skus) expect(await level(sku)).toMatchObject({ available: 0, allocated: 40 });
  });

  it('refuses a short order whole, names what is short, and leaves nothing behind', async () => {
    const [plenty, scarce] = [await stocked(5), await stocked(1)];
    const before = await env.query(
      'select (select count(*) from orders) as o, (select count(*) from outbox) as e, (select count(*) from idempotency_keys) as k',
    );
    const key = newId();
    const body = { currency: CURRENCY, lines: [goods(plenty, 5), goods(scarce, 2)] };
    await expect(as(() => orders.create(key, body))).rejects.toMatchObject({
      code: 'insufficient_stock',
      category: 'conflict',
      param: 'lines[1].quantity',
      details: { shortages: [{ line: 2, sku: scarce, requested: 2, available: 1 }] },
    });
    expect(
      await env.query(
        'select (select count(*) from orders) as o, (select count(*) from outbox) as e, (select count(*) from idempotency_keys) as k',
      ),
    ).toEqual(before);
    expect(await level(plenty)).toMatchObject({ available: 5, allocated: 0 });
    // The same key may be used again once there is stock.
    await as(() => app.get(AdjustmentService).adjust(newId(), { reason: 'found', lines: [{ sku: scarce, delta: 1 }] }));
    await expect(as(() => orders.create(key, body))).resolves.toMatchObject({ status: 201, replayed: false });
  });

  it('names the line with an unknown product, and the location', async () => {
    const sku = await stocked(1);
    await expect(place([goods(sku, 1), goods('NO-SUCH', 1)])).rejects.toMatchObject({
      code: 'unknown_product',
      param: 'lines[1].sku',
    });
    await expect(
      as(() => orders.create(newId(), { currency: CURRENCY, lines: [{ ...goods(sku, 1), location: 'NOWHERE' }] })),
    ).rejects.toMatchObject({ code: 'unknown_location', param: 'lines[0].location' });
    await expect(place([goods('NO-SUCH', 1)], 'draft')).rejects.toMatchObject({ code: 'unknown_product' });
  });

  it('does not see the products of another organization', async () => {
    const sku = await stocked(3);
    const stranger = await createOrganization(env);
    await expect(
      asTenant(app, stranger, () => orders.create(newId(), { currency: CURRENCY, lines: [goods(sku, 1)] })),
    ).rejects.toMatchObject({ code: 'unknown_product' });
  });

  it('answers a repetition with the stored answer, once for many at the same time', async () => {
    const sku = await stocked(100);
    const key = newId();
    const body = { currency: CURRENCY, lines: [goods(sku, 1)] };
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => as(() => orders.create(key, body))));
    const done = outcomes.filter((outcome) => outcome.status === 'fulfilled').map((outcome) => outcome.value);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => code(outcome.reason));
    expect(done.filter((reply) => !reply.replayed)).toHaveLength(1);
    expect(new Set(done.map((reply) => JSON.stringify(reply.body))).size).toBe(1);
    expect(refused.every((reason) => reason === 'idempotency_key_in_use')).toBe(true);
    expect(await level(sku)).toMatchObject({ available: 99, allocated: 1 });
    const again = await as(() => orders.create(key, body));
    expect(again).toMatchObject({ status: 201, replayed: true });
    await expect(as(() => orders.create(key, { ...body, reference: 'other' }))).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
  });

  it('keeps one organization’s keys apart from another’s', async () => {
    const sku = await stocked(1);
    const key = newId();
    await as(() => orders.create(key, { currency: CURRENCY, lines: [goods(sku, 1)] }));
    const stranger = await createOrganization(env);
    await expect(
      asTenant(app, stranger, () =>
        orders.create(key, { currency: CURRENCY, lines: [{ kind: 'charge', description: 'x', unit_price_minor: 1 }] }),
      ),
    ).resolves.toMatchObject({ replayed: false });
  });

  it('walks from draft to fulfilled in parts, and refuses steps out of order', async () => {
    const sku = await stocked(10);
    const { id, lines } = (await place([goods(sku, 6)], 'draft')).body;
    const step = (action: 'confirm' | 'allocate' | 'fulfil' | 'cancel', quantity?: number) =>
      as(() =>
        orders.advance({
          id,
          action,
          key: newId(),
          version: undefined,
          lines: quantity === undefined ? undefined : [{ line_id: lines[0]!.id, quantity }],
        }),
      );
    expect(await level(sku)).toMatchObject({ available: 10, allocated: 0 });
    await expect(step('fulfil')).rejects.toMatchObject({
      code: 'invalid_state_transition',
      details: { state: 'draft' },
    });
    expect((await step('confirm')).body.state).toBe('confirmed');
    expect((await step('allocate')).body.state).toBe('allocated');
    expect(await level(sku)).toMatchObject({ available: 4, allocated: 6 });
    await expect(step('fulfil', 7)).rejects.toMatchObject({ code: 'not_allocated' });
    const partly = (await step('fulfil', 2)).body;
    expect(partly).toMatchObject({ state: 'partially_fulfilled', lines: [{ allocated: 4, fulfilled: 2 }] });
    await expect(step('cancel')).rejects.toMatchObject({ code: 'invalid_state_transition' });
    expect((await step('fulfil')).body).toMatchObject({ state: 'fulfilled', lines: [{ allocated: 0, fulfilled: 6 }] });
    expect(await level(sku)).toMatchObject({ on_hand: 4, available: 4, allocated: 0 });
    await expectLedgerToBalance();
  });

  it('gives stock back when an allocated order is cancelled, once however often it is asked at the same time', async () => {
    const sku = await stocked(5);
    const { id } = (await place([goods(sku, 5)])).body;
    const cancel = () => as(() => orders.advance({ id, action: 'cancel', key: newId(), version: undefined }));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, cancel));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(await level(sku)).toMatchObject({ available: 5, allocated: 0 });
    await expectLedgerToBalance();
  });

  it('honours If-Match, and answers unknown orders as not found', async () => {
    const sku = await stocked(5);
    const { id, version } = (await place([goods(sku, 1)])).body;
    const cancel = (at: number, order = id) =>
      as(() => orders.advance({ id: order, action: 'cancel', key: newId(), version: at }));
    await expect(cancel(version + 1)).rejects.toMatchObject({
      code: 'version_mismatch',
      category: 'precondition_failed',
    });
    await expect(cancel(1, newId())).rejects.toMatchObject({ code: 'not_found' });
    await expect(cancel(version)).resolves.toMatchObject({ body: { state: 'cancelled', version: version + 1 } });
  });

  it('takes goods back with and without their order, never more than left', async () => {
    const sku = await stocked(10);
    const order = (await place([goods(sku, 6)], 'fulfilled')).body;
    expect(await level(sku)).toMatchObject({ on_hand: 4, available: 4, allocated: 0 });
    const back = (quantity: number, disposition?: 'restock' | 'unavailable') =>
      as(() =>
        returns.create(newId(), {
          order_id: order.id,
          reason: 'unwanted',
          currency: CURRENCY,
          lines: [
            { kind: 'goods', order_line_id: order.lines[0]!.id, quantity, ...(disposition ? { disposition } : {}) },
          ],
        }),
      );
    const first = await back(2, 'unavailable');
    expect(RETURN.validate(first.body).issues).toBeUndefined();
    expect(first.body).toMatchObject({
      total_minor: 500,
      lines: [{ sku, unit_price_minor: 250, disposition: 'unavailable' }],
    });
    await expect(back(5)).rejects.toMatchObject({ code: 'return_exceeds_fulfilled', param: 'lines[0].quantity' });
    await expect(as(() => orders.get(order.id))).resolves.toMatchObject({ state: 'partially_returned' });
    await back(4);
    await expect(as(() => orders.get(order.id))).resolves.toMatchObject({
      state: 'returned',
      lines: [{ returned: 6 }],
    });
    await as(() =>
      returns.create(newId(), {
        reason: 'no receipt',
        currency: CURRENCY,
        lines: [
          { kind: 'goods', sku, quantity: 1, unit_price_minor: 100 },
          { kind: 'charge', description: 'Postage', unit_price_minor: 50 },
        ],
      }),
    );
    expect(await level(sku)).toMatchObject({ on_hand: 11, available: 9, unavailable: 2 });
    await expectLedgerToBalance();
  });

  it('never returns a line twice when two returns race', async () => {
    const sku = await stocked(5);
    const order = (await place([goods(sku, 5)], 'fulfilled')).body;
    const back = () =>
      as(() =>
        returns.create(newId(), {
          order_id: order.id,
          reason: 'r',
          currency: CURRENCY,
          lines: [{ kind: 'goods', order_line_id: order.lines[0]!.id, quantity: 5 }],
        }),
      );
    const outcomes = await Promise.allSettled([back(), back(), back()]);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(await level(sku)).toMatchObject({ on_hand: 5 });
  });

  it('conserves stock under random orders, cancellations, returns and adjustments at once', async () => {
    const skus = await Promise.all([20, 20, 20].map((quantity) => stocked(quantity)));
    const line = fc.tuple(fc.constantFrom(...skus), fc.integer({ min: 1, max: 4 }));
    const command = fc.oneof(
      fc.record({
        kind: fc.constant('order' as const),
        lines: fc.array(line, { minLength: 1, maxLength: 5 }),
        cancel: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('return' as const), lines: fc.array(line, { minLength: 1, maxLength: 3 }) }),
      fc.record({
        kind: fc.constant('adjust' as const),
        lines: fc.array(line, { minLength: 1, maxLength: 3 }),
        sign: fc.constantFrom(1, -1),
      }),
    );
    const expected = new Map(skus.map((sku) => [sku, 20]));
    const move = (lines: readonly (readonly [string, number])[], sign: number) => {
      for (const [sku, quantity] of lines) expected.set(sku, expected.get(sku)! + sign * quantity);
    };
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 4, maxLength: 10 }), async (commands) => {
        await Promise.all(
          commands.map(async (each) => {
            try {
              if (each.kind === 'order') {
                const { id } = (await place(each.lines.map(([sku, quantity]) => goods(sku, quantity)))).body;
                const action = each.cancel ? 'cancel' : 'fulfil';
                await as(() => orders.advance({ id, action, key: newId(), version: undefined }));
                if (!each.cancel) move(each.lines, -1);
              } else if (each.kind === 'return') {
                const lines = each.lines.map(([sku, quantity]) => goods(sku, quantity));
                await as(() => returns.create(newId(), { reason: 'r', currency: CURRENCY, lines }));
                move(each.lines, 1);
              } else {
                const lines = each.lines.map(([sku, quantity]) => ({ sku, delta: each.sign * quantity }));
                await as(() => app.get(AdjustmentService).adjust(newId(), { reason: 'a', lines }));
                move(each.lines, each.sign);
              }
            } catch (error) {
              if (code(error) !== 'insufficient_stock') throw error;
            }
          }),
        );
        for (const sku of skus) expect(await level(sku)).toMatchObject({ on_hand: expected.get(sku), allocated: 0 });
      }),
      { numRuns: 25 },
    );
    await expectLedgerToBalance();
  });

  it('keeps stock by location', async () => {
    const sku = await stocked(3);
    const depot = await as(() => app.get(LocationService).create({ code: `D-${newId().slice(-8)}`, name: 'Depot' }));
    await as(() =>
      app.get(AdjustmentService).adjust(newId(), { reason: 'in', lines: [{ sku, location: depot.code, delta: 5 }] }),
    );
    await expect(place([goods(sku, 4)])).rejects.toMatchObject({ code: 'insufficient_stock' });
    const taken = await as(() =>
      orders.create(newId(), {
        currency: CURRENCY,
        lines: [{ ...goods(sku, 4), location: depot.code }, goods(sku, 3)],
      }),
    );
    expect(taken.body.lines.map((each) => each.location_id)).toEqual([depot.id, shop.locationId]);
  });

  describe('and archived locations', () => {
    const location = async () => {
      const at = `L-${newId()}`;
      const { id } = await as(() => app.get(LocationService).create({ code: at, name: at }));
      return { id, at };
    };
    const archive = (id: string) => as(() => app.get(LocationService).update(id, undefined, { state: 'archived' }));
    const adjust = (sku: string, delta: number, at: string) =>
      as(() => app.get(AdjustmentService).adjust(newId(), { reason: 'spec', lines: [{ sku, delta, location: at }] }));
    const order = (sku: string, quantity: number, at: string, advance_to: 'confirmed' | 'fulfilled') =>
      as(() =>
        orders.create(newId(), { currency: CURRENCY, advance_to, lines: [{ ...goods(sku, quantity), location: at }] }),
      );
    const advance = (id: string, action: 'allocate' | 'cancel') =>
      as(() => orders.advance({ id, action, key: newId(), version: undefined }));
    const takeBack = (sale: Awaited<ReturnType<typeof order>>) =>
      as(() =>
        returns.create(newId(), {
          order_id: sale.body.id,
          reason: 'spec',
          currency: CURRENCY,
          lines: [{ kind: 'goods', order_line_id: sale.body.lines[0]!.id, quantity: 1 }],
        }),
      );

    it('a location that holds stock is not archived, and one that has none is', async () => {
      const { id, at } = await location();
      const sku = await stocked(0);
      await adjust(sku, 3, at);
      await expect(archive(id)).rejects.toMatchObject({
        code: 'location_holds_stock',
        param: 'state',
        details: { on_hand: 3, products: 1 },
      });
      const { body } = await order(sku, 3, at, 'confirmed');
      await advance(body.id, 'allocate');
      await expect(archive(id)).rejects.toMatchObject({ code: 'location_holds_stock' });
      await advance(body.id, 'cancel');
      await adjust(sku, -3, at);
      expect(await archive(id)).toMatchObject({ state: 'archived' });
    });

    it('no stock is ever at an archived location, whoever is faster', async () => {
      const outcomes = new Set<string>();
      for (let round = 0; round < 15; round += 1) {
        const { id, at } = await location();
        const [known, unknown, sold] = await Promise.all([stocked(0), stocked(0), stocked(0)]);
        await adjust(known, 1, at);
        await adjust(known, -1, at);
        await adjust(sold, 1, at);
        const sale = await order(sold, 1, at, 'fulfilled');
        const work = [
          () => archive(id),
          () => adjust(known, 1, at),
          () => adjust(unknown, 1, at),
          () => takeBack(sale),
        ];
        const rotated = work.map((_, index) => work[(index + round) % work.length]!);
        const answers = await Promise.all(rotated.map((each) => each().then(() => 'done', code)));
        const [{ state, units }] = (await env.query<{ state: string; units: number }>(
          `select state, (select coalesce(sum(on_hand), 0)::int from stock_levels where location_id = l.id) as units
           from locations l where id = $1`,
          [id],
        )) as [{ state: string; units: number }];
        expect([state, units > 0]).toEqual(state === 'archived' ? ['archived', false] : ['active', true]);
        for (const answer of answers) outcomes.add(answer);
      }
      outcomes.delete('done');
      const known = ['location_holds_stock', 'unknown_location', 'location_archived'];
      expect([...outcomes].filter((outcome) => !known.includes(outcome))).toEqual([]);
    }, 60_000);

    it('an order takes nothing of an archived product, nor of a location that was archived with its stock', async () => {
      const { id, at } = await location();
      const sku = await stocked(0);
      await adjust(sku, 5, at);
      const first = await order(sku, 1, at, 'confirmed');
      await env.query("update locations set state = 'archived' where id = $1", [id]); // as was possible once
      await expect(advance(first.body.id, 'allocate')).rejects.toMatchObject({
        code: 'location_archived',
        param: 'lines[0].location',
      });
      await env.query("update locations set state = 'active' where id = $1", [id]);
      await env.query("update products set state = 'archived' where sku = $1", [sku]);
      await expect(advance(first.body.id, 'allocate')).rejects.toMatchObject({
        code: 'product_archived',
        param: 'lines[0].sku',
      });
      expect(await level(sku)).toMatchObject({ available: 5, allocated: 0 });
    });
  });
});
