/**
 * An order as somebody would write it with node-postgres alone: the tables an order of the platform writes, a statement
 * each, one round trip each, under the tenant's policies.
 */
import { newId } from '#libs/kernel';
import type { Pool, PoolClient } from 'pg';

interface Line {
  readonly sku: string;
  readonly quantity: number;
  readonly unit_price_minor: number;
}

interface Taken {
  readonly product_id: string;
  readonly location_id: string;
  readonly sku: string;
}

const LOCK = `select level.product_id, level.location_id, product.sku
  from products product join stock_levels level on level.organization_id = $1 and level.product_id = product.id
  where product.organization_id = $1 and product.sku = any ($2) order by 1, 2 for update of level`;
const TAKE = `update stock_levels level set available = level.available - need.quantity, version = version + 1, updated_at = now()
  from unnest($2::uuid[], $3::uuid[], $4::bigint[]) as need (product, place, quantity)
  where level.organization_id = $1 and level.product_id = need.product and level.location_id = need.place
    and level.available >= need.quantity`;
const MOVE = `insert into stock_movements (organization_id, id, product_id, location_id, type, reason, actor_type,
    reference_type, reference_id, occurred_at, available_change)
  select $1, need.id, need.product, need.place, 'fulfilment', 'bench', 'system', 'order', $6::uuid, now(), -need.quantity
  from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[]) as need (id, product, place, quantity)`;
const ORDER = `insert into orders (organization_id, id, reference, state, currency, total_minor, occurred_at)
  values ($1, $2, 'bench', 'fulfilled', 'GBP', $3, now())`;
const LINES = `insert into order_lines (organization_id, id, order_id, line_number, kind, product_id, location_id, sku, quantity,
    unit_price_minor, amount_minor, fulfilled)
  select $1, line.id, $2, line.number, 'goods', line.product, line.place, line.sku, line.quantity, line.price,
    line.quantity * line.price, line.quantity
  from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[])
    with ordinality as line (id, product, place, sku, quantity, price, number)`;
const OUTBOX = `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
  values ($1, $2, 'order.fulfilled', 'order', $3, '{}')`;
const KEY = `insert into idempotency_keys (organization_id, key, fingerprint, status, body, expires_at)
  values ($1, $2, 'bench', 201, $3, now() + interval '24 hours')`;

async function write(client: PoolClient, organizationId: string, lines: readonly Line[]): Promise<void> {
  const run = <Row>(name: string, text: string, ...values: readonly unknown[]) =>
    client.query<Row & object>({ name, text, values: [organizationId, ...values] });
  const id = newId();
  await client.query('BEGIN');
  await run('set', "select set_config('app.tenant_id', $1, true)");
  const { rows } = await run<Taken>(
    'lock',
    LOCK,
    lines.map(({ sku }) => sku),
  );
  const level = new Map(rows.map((row) => [row.sku, row]));
  const products = lines.map(({ sku }) => level.get(sku)!.product_id);
  const places = lines.map(({ sku }) => level.get(sku)!.location_id);
  const quantities = lines.map(({ quantity }) => quantity);
  const prices = lines.map((line) => line.unit_price_minor);
  const total = lines.reduce((sum, line) => sum + line.quantity * line.unit_price_minor, 0);
  const { rowCount } = await run('take', TAKE, products, places, quantities);
  if (rowCount !== lines.length) throw new Error('An order by hand was short although stock is plentiful.');
  await run('move', MOVE, lines.map(newId), products, places, quantities, id);
  await run('order', ORDER, id, total);
  await run(
    'lines',
    LINES,
    id,
    lines.map(newId),
    products,
    places,
    lines.map(({ sku }) => sku),
    quantities,
    prices,
  );
  await run('outbox', OUTBOX, newId(), id);
  await run('key', KEY, newId(), JSON.stringify({ id, lines }));
  await client.query('COMMIT');
}

/** Rejects where anything went wrong, with the connection thrown away. */
export async function orderByHand(pool: Pool, organizationId: string, lines: readonly Line[]): Promise<void> {
  const client = await pool.connect();
  try {
    await write(client, organizationId, lines);
    client.release();
  } catch (error) {
    client.release(error as Error);
    throw error;
  }
}
