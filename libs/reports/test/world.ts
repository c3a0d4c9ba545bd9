/** A tenant's stock and sales as plain objects, generated, written into the tables, and folded by hand into reports. */
import { newId } from '#libs/kernel';
import { createOrganization, type TestEnvironment, type TestOrganization } from '#libs/testing';
import fc from 'fast-check';

const MOVEMENT_TYPES = [
  ...(['adjustment', 'count', 'allocation', 'deallocation', 'fulfilment', 'return', 'transfer', 'receipt'] as const),
  ...(['hold', 'release'] as const),
];
const ORDER_STATES = [
  ...([
    'draft',
    'confirmed',
    'allocated',
    'partially_fulfilled',
    'fulfilled',
    'partially_returned',
    'returned',
  ] as const),
  ...(['cancelled', 'expired'] as const),
];
const SOLD = new Set(['confirmed', 'allocated', 'partially_fulfilled', 'fulfilled', 'partially_returned', 'returned']);

/** What changes clocks on these days: Berlin, New York, Havana (at midnight), Lord Howe (half an hour), Cairo (midnight does not exist). */
const CLOCK_CHANGES = [
  ...['2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-03-08T07:00Z', '2026-11-01T06:00Z', '2026-11-01T05:00Z'],
  ...['2026-04-04T15:00Z', '2026-04-23T22:00Z', '2026-03-31T22:00Z'],
].map((text) => Date.parse(text));

export const ZONES = [
  ...['UTC', 'Europe/Berlin', 'America/New_York', 'America/Havana', 'Australia/Lord_Howe', 'Asia/Kathmandu'],
  ...['Africa/Cairo', 'Pacific/Apia'],
];

const HOUR_MS = 3_600_000;
/** Near a change of clocks, or near the ends of months: wherever a day is easily mistaken for its neighbour. */
const moment = fc.oneof(
  fc
    .tuple(fc.constantFrom(...CLOCK_CHANGES), fc.integer({ min: -30 * HOUR_MS, max: 30 * HOUR_MS }))
    .map(([change, off]) => change + off),
  fc.integer({ min: Date.UTC(2026, 1, 27), max: Date.UTC(2026, 3, 2) }),
);

const product = fc.nat({ max: 2 });
const place = fc.nat({ max: 1 });
const change = fc.integer({ min: -50, max: 50 });
const currency = fc.constantFrom('EUR', 'JPY');

const movement = fc.record({
  ...{ product, place, type: fc.constantFrom(...MOVEMENT_TYPES), atMs: moment },
  ...{ available: change, allocated: change },
});
const goods = fc.record({
  ...{ kind: fc.constant('goods' as const), product: product, place },
  ...{ quantity: fc.integer({ min: 1, max: 9 }), price: fc.integer({ min: 0, max: 10 ** 12 }) },
});
const charge = fc.record({
  ...{ kind: fc.constant('charge' as const), product: fc.constant(null), place },
  ...{ quantity: fc.integer({ min: 1, max: 3 }), price: fc.integer({ min: 0, max: 1_000 }) },
});
const discount = fc.record({
  ...{ kind: fc.constant('discount' as const), product: fc.constant(null), place },
  ...{ quantity: fc.constant(1), price: fc.integer({ min: -500, max: 0 }) },
});
const lines = fc.array(fc.oneof(goods, goods, charge, discount), { minLength: 1, maxLength: 3 });
const order = fc.record({ state: fc.constantFrom(...ORDER_STATES), currency, atMs: moment, lines });
const back = fc.record({ currency, atMs: moment, lines });
const level = fc.record({
  ...{ available: fc.nat({ max: 2 ** 40 }), held: fc.nat({ max: 3 }), unavailable: fc.nat({ max: 3 }) },
  allocated: fc.constantFrom(0, 0, 1),
});

export const worlds = fc.record({
  prices: fc.array(fc.integer({ min: 0, max: 10 ** 12 }), { minLength: 3, maxLength: 3 }),
  levels: fc.array(level, { minLength: 6, maxLength: 6 }),
  movements: fc.array(movement, { maxLength: 25 }),
  orders: fc.array(order, { maxLength: 8 }),
  returns: fc.array(back, { maxLength: 4 }),
});
export type World = typeof worlds extends fc.Arbitrary<infer W> ? W : never;

export interface Settled {
  readonly organization: TestOrganization;
  readonly products: readonly string[];
  readonly places: readonly string[];
}

const CURRENCIES = ['EUR', 'JPY', 'EUR'];

/** Writes a world as a new tenant, past the wall. */
export async function settle(env: TestEnvironment, world: World): Promise<Settled> {
  const organization = await createOrganization(env);
  const products = world.prices.map(() => newId());
  const places = [organization.locationId, newId()];
  const insert = (table: string, columns: string, rows: readonly object[]) =>
    env.query(
      `insert into ${table} (organization_id, ${columns}) select $1, ${columns}
       from jsonb_populate_recordset(null::${table}, $2::jsonb)`,
      [organization.id, JSON.stringify(rows)],
    );
  await insert('locations', 'id, code, name, is_default, state, version, created_at, updated_at', [
    {
      ...{ id: places[1], code: 'SIDE', name: 'Side', is_default: false, state: 'active', version: 1 },
      ...{ created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' },
    },
  ]);
  await env.query(
    `insert into products (organization_id, id, sku, name, price_minor, currency)
     select $1, id, 'SKU-' || n, 'Product "' || n || '", new', price, currency
     from unnest($2::uuid[], $3::bigint[], $4::text[]) with ordinality p (id, price, currency, n)`,
    [organization.id, products, world.prices, CURRENCIES],
  );
  await insert(
    'stock_levels',
    'product_id, location_id, available, held, allocated, unavailable, incoming, version, updated_at',
    world.levels.map((each, index) => ({
      ...{ ...each, product_id: products[index % 3], location_id: places[Math.floor(index / 3)] },
      ...{ incoming: 0, version: 1, updated_at: '2026-01-01T00:00:00Z' },
    })),
  );
  await insert(
    'stock_movements',
    `id, product_id, location_id, type, reason, actor_type, occurred_at, recorded_at, available_change, held_change,
     allocated_change, unavailable_change`,
    world.movements.map((each) => ({
      ...{ id: newId(), product_id: products[each.product], location_id: places[each.place], type: each.type },
      ...{ reason: 'spec', actor_type: 'system', occurred_at: new Date(each.atMs), recorded_at: new Date() },
      ...{ available_change: each.available, held_change: 0, allocated_change: each.allocated, unavailable_change: 0 },
    })),
  );
  const lineRow = (line: World['orders'][number]['lines'][number], index: number) => ({
    ...{ id: newId(), line_number: index + 1, kind: line.kind, quantity: line.quantity },
    ...{ product_id: line.product === null ? null : products[line.product] },
    ...{ location_id: line.product === null ? null : places[line.place] },
    ...{ unit_price_minor: line.price, amount_minor: line.price * line.quantity },
  });
  const orders = world.orders.map((each) => ({ ...each, id: newId() }));
  const sum = (all: World['orders'][number]['lines']) => all.reduce((total, l) => total + l.price * l.quantity, 0);
  const times = { created_at: new Date(), updated_at: new Date() };
  await insert(
    'orders',
    'id, state, currency, total_minor, occurred_at, version, created_at, updated_at',
    orders.map(({ id, state, currency: code, atMs, lines: own }) => ({
      ...{ id, state, currency: code, total_minor: sum(own), occurred_at: new Date(atMs), version: 1, ...times },
    })),
  );
  const LINE = 'id, line_number, kind, product_id, location_id, quantity, unit_price_minor, amount_minor';
  await insert(
    'order_lines',
    `order_id, ${LINE}, allocated, fulfilled, returned`,
    orders.flatMap(({ id, lines: own }) =>
      own.map((line, index) => ({ order_id: id, ...lineRow(line, index), allocated: 0, fulfilled: 0, returned: 0 })),
    ),
  );
  const returns = world.returns.map((each) => ({ ...each, id: newId() }));
  await insert(
    'returns',
    'id, reason, currency, total_minor, occurred_at, created_at',
    returns.map(({ id, currency: code, atMs, lines: own }) => ({
      ...{ id, reason: 'spec', currency: code, total_minor: sum(own), occurred_at: new Date(atMs), ...times },
    })),
  );
  await insert(
    'return_lines',
    `return_id, ${LINE}, disposition`,
    returns.flatMap(({ id, lines: own }) =>
      own.map((line, index) => ({ return_id: id, ...lineRow(line, index), disposition: 'none' })),
    ),
  );
  return { organization, products, places };
}

/** The calendar day of a moment in a zone, by the platform's own calendar. */
export function localDay(atMs: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const found = Object.fromEntries(parts.formatToParts(atMs).map(({ type, value }) => [type, value]));
  return `${found.year}-${found.month}-${found.day}`;
}

function periodBegin(day: string, period: 'day' | 'week' | 'month'): string {
  if (period === 'day') return day;
  if (period === 'month') return `${day.slice(0, 8)}01`;
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}

export interface Span {
  readonly from: string;
  readonly to: string;
  readonly time_zone: string;
}

/** Key → figures; what is left out is not there. */
export type Folded = Record<string, Record<string, bigint>>;

function add(folded: Folded, key: string, figures: Record<string, bigint>): void {
  const own = (folded[key] ??= {});
  for (const [name, value] of Object.entries(figures)) own[name] = (own[name] ?? 0n) + value;
}

export function foldSales(world: World, span: Span & { readonly period: 'day' | 'week' | 'month' }): Folded {
  const folded: Folded = {};
  const take = (
    { atMs, currency: code, lines: own }: World['returns'][number],
    figures: (units: bigint, minor: bigint) => Record<string, bigint>,
  ) => {
    const day = localDay(atMs, span.time_zone);
    if (day < span.from || day > span.to) return;
    for (const { kind, product: index, quantity, price } of own) {
      const key = [periodBegin(day, span.period), index ?? '', kind, code].join(' ');
      add(folded, key, figures(BigInt(quantity), BigInt(quantity) * BigInt(price)));
    }
  };
  const zero = { quantity: 0n, revenue_minor: 0n, returned_quantity: 0n, refunded_minor: 0n };
  for (const each of world.orders)
    if (SOLD.has(each.state)) take(each, (units, minor) => ({ ...zero, quantity: units, revenue_minor: minor }));
  for (const each of world.returns)
    take(each, (units, minor) => ({ ...zero, returned_quantity: units, refunded_minor: minor }));
  return folded;
}

export function foldMovements(world: World, span: Span): Folded {
  const folded: Folded = {};
  for (const each of world.movements) {
    const day = localDay(each.atMs, span.time_zone);
    if (day > span.to) continue;
    const units = BigInt(each.available + each.allocated);
    const figures: Record<string, bigint> = { closing: units };
    if (day < span.from) figures.opening = units;
    else figures[`${each.type}${units > 0n ? '+' : '-'}`] = units;
    add(folded, `${each.product} ${each.place}`, figures);
  }
  return folded;
}
