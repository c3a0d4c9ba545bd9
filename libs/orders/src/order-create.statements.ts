/**
 * A new order in one flight. The levels it takes from are locked in the order of their key, so that orders whose lines
 * stand in opposite order cannot wait for each other; what follows sees levels that nobody else can change. Then the
 * lines, summed by product and place, are taken together, or the whole flight is refused with the list of what is short.
 */
import { type Statement, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { levelOf, lockLevels, type Origin, ORIGIN_COLUMNS, originOf } from '#libs/inventory';
import { RESOLVED_LINES, SHORTAGES, UNKNOWN_LINES } from './order.sql';
import type { CreateOrder } from './order.schema';

/** Refuses unknown lines before anything waits for a lock. */
const check = tenantStatement(
  'order_create_check',
  `with line as materialized (${RESOLVED_LINES}), refused as materialized (${UNKNOWN_LINES})
   select count(*) as refused from refused`,
);

const lock = tenantStatement(
  'order_create_lock',
  `with line as materialized (${RESOLVED_LINES}) ${lockLevels("select product, place from line where kind = 'goods'")}`,
);

/** $3 is true when the goods leave at once: then nothing stays allocated. */
const take = tenantStatement(
  'order_create_take',
  `with line as materialized (${RESOLVED_LINES}), asked as materialized (
     select product, place, sum(quantity)::bigint as quantity, min(sku) as sku, min(line_number) as line_number,
       (array_agg(movement order by line_number))[1] as movement
     from line where kind = 'goods' group by product, place),
   need as materialized (select asked.*, level.tid, coalesce(level.available, 0) as available from asked ${levelOf('asked')}),
   refused as materialized (${SHORTAGES}),
   taken as (
     update stock_levels level set available = level.available - need.quantity,
       allocated = level.allocated + case when $3::boolean then 0 else need.quantity end,
       version = level.version + 1, updated_at = now()
     from need where level.organization_id = $1 and level.ctid = need.tid and level.available >= need.quantity
       and (select count(*) from refused) = 0)
   insert into stock_movements (organization_id, id, product_id, location_id, type, available_change, allocated_change, ${ORIGIN_COLUMNS})
   select $1, movement, product, place, case when $3 then 'fulfilment' else 'allocation' end, -quantity,
     case when $3 then 0 else quantity end, $4, $5::uuid, $6, $7::timestamptz, $8, $9::uuid
   from need`,
);

/** $3 id, $4 reference, $5 customer, $6 state, $7 currency, $8 occurred_at. */
const insert = tenantStatement(
  'order_create_insert',
  `with line as materialized (${RESOLVED_LINES}), new_order as (
     insert into orders (organization_id, id, reference, customer_reference, state, currency, total_minor, occurred_at)
     select $1, $3::uuid, $4, $5, $6, $7, (select coalesce(sum(quantity * unit_price_minor), 0) from line), $8::timestamptz)
   insert into order_lines (organization_id, id, order_id, line_number, kind, product_id, location_id, sku, description,
     quantity, unit_price_minor, amount_minor, allocated, fulfilled)
   select $1, id, $3, line_number, kind, product, case when kind = 'goods' then place end, sku, description,
     quantity, unit_price_minor, quantity * unit_price_minor,
     case when kind = 'goods' and $6 = 'allocated' then quantity else 0 end,
     case when kind = 'goods' and $6 = 'fulfilled' then quantity else 0 end
   from line`,
);

export type StartState = NonNullable<CreateOrder['advance_to']>;

export interface OrderCreation {
  readonly id: string;
  readonly state: StartState;
  readonly body: CreateOrder;
  readonly origin: Origin;
}

/** Statements of a new order, to stand between the claim of its key and the record of its answer. */
export function orderCreateStatements({ id, state, body, origin }: OrderCreation): Statement[] {
  const lines = JSON.stringify(
    body.lines.map((line, index) => ({ quantity: 1, ...line, line_number: index + 1, id: newId(), movement: newId() })),
  );
  const { reference = null, customer_reference: customer = null, currency } = body;
  const created = insert(lines, id, reference, customer, state, currency, origin.occurredAt);
  if (state === 'draft' || state === 'confirmed') return [check(lines), created];
  return [check(lines), lock(lines), take(lines, state === 'fulfilled', ...originOf(origin)), created];
}
