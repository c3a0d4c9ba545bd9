/**
 * A return in one flight. Lines that name an order line take product, place and price from it and may not exceed what
 * was fulfilled and not yet returned; the others name their product. Levels that do not exist yet are made.
 */
import { type Statement, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { levelOf, lockLevels, type Origin, ORIGIN_COLUMNS, originOf } from '#libs/inventory';
import { RESOLVED_LINES, unpayableLines } from './order.sql';
import type { CreateReturn } from './return.schema';

/** $3 is the order or null. Order lines override what the request says of product and place. */
const LINES = `
  select l.line_number, l.id, l.movement, l.kind, l.quantity, l.given_sku, l.order_line_id, sold.id as sold,
    coalesce(l.description, sold.description) as description,
    coalesce(sold.product_id, l.product) as product, case when l.given_location is null then coalesce(sold.location_id, l.place) else l.place end as place, coalesce(sold.sku, l.sku) as sku,
    coalesce(l.asked_price, sold.unit_price_minor, l.unit_price_minor) as unit_price_minor, case when sold.id is null then l.price_currency end as price_currency,
    case when l.kind = 'goods' then coalesce(l.disposition, 'restock') else 'none' end as disposition
  from (select r.*, (($2::jsonb -> (r.line_number - 1)) ->> 'unit_price_minor')::bigint as asked_price from (${RESOLVED_LINES}) r) l
  left join lateral (select o.id, o.product_id, o.location_id, o.sku, o.description, o.unit_price_minor from order_lines o
    where o.organization_id = $1 and o.id = l.order_line_id and o.order_id = $3::uuid and o.kind = 'goods' limit 1) sold on true`;

/** Asked again under the locks of the levels: a location may have been archived in between. */
const UNUSABLE_PLACES = `
  select refuse('unknown_location', 'unprocessable', 'No active location has this code.', format('lines[%s].location', line_number - 1))
  from line where kind = 'goods' and place is null
  union all
  select refuse('location_archived', 'conflict', format('The location %s, which the goods came from, is archived; name another one.', l.code),
    format('lines[%s].location', line_number - 1))
  from line cross join lateral (select code, state from locations where organization_id = $1 and id = line.place limit 1) l
  where kind = 'goods' and l.state = 'archived'`;

/** $2 order, $3 currency. */
const enter = tenantStatement(
  'return_enter',
  `with found as materialized (select state, currency from orders where organization_id = $1 and id = $2::uuid for update)
   select case when not exists (select from found) then refuse('unknown_order', 'unprocessable', 'No order of yours has this id.', 'order_id')
     when (select state from found) not in ('partially_fulfilled', 'fulfilled', 'partially_returned') then
       refuse('invalid_state_transition', 'conflict', format('The order is %s; only what was fulfilled can come back.', (select state from found)), 'order_id')
     when (select currency from found) <> $3::text then
       refuse('currency_mismatch', 'unprocessable', format('The order is in %s.', (select currency from found)), 'currency') end`,
);

const prepare = tenantStatement(
  'return_prepare',
  `with line as materialized (${LINES}), refused as materialized (
     select refuse('unknown_order_line', 'unprocessable', 'The order has no line of goods with this id.', format('lines[%s].order_line_id', line_number - 1))
       from line where order_line_id is not null and sold is null
     union all
     select refuse('unknown_product', 'unprocessable', 'No active product of yours has this SKU or id.', format('lines[%s].%s', line_number - 1,
       case when given_sku is null then 'product_id' else 'sku' end)) from line where kind = 'goods' and product is null
     union all
     ${UNUSABLE_PLACES}
     union all ${unpayableLines('$4::text')})
   insert into stock_levels (organization_id, product_id, location_id)
   select distinct $1::uuid, product, place from line where kind = 'goods' and (select count(*) from refused) = 0
   order by 2, 3 on conflict do nothing`,
);

/** The lock that the foreign key of the lines takes, before those of the levels: in the order in which a location is archived. */
const holdPlaces = tenantStatement(
  'return_hold_places',
  `with line as materialized (${LINES})
   select from locations where organization_id = $1 and id = any (array(select place from line where kind = 'goods')) for key share`,
);

const lock = tenantStatement(
  'return_lock',
  `with line as materialized (${LINES}) ${lockLevels("select product, place from line where kind = 'goods'")}`,
);

/** $4 return, $5 reference, $6 reason, $7 currency, $8 occurred_at. */
const insert = tenantStatement(
  'return_insert',
  `with line as materialized (${LINES}), sums as (
     select order_line_id, sum(quantity)::bigint as quantity, min(line_number) as line_number from line
     where order_line_id is not null group by order_line_id),
   counted as (
     update order_lines l set returned = l.returned + sums.quantity from sums
     where l.organization_id = $1 and l.id = sums.order_line_id and l.returned + sums.quantity <= l.fulfilled returning l.id),
   refused as materialized (
     ${UNUSABLE_PLACES}
     union all
     select refuse('return_exceeds_fulfilled', 'conflict', 'More would come back than has left and not yet returned.',
       format('lines[%s].quantity', line_number - 1)) from sums where order_line_id not in (select id from counted)),
   header as (
     insert into returns (organization_id, id, order_id, reference, reason, currency, total_minor, occurred_at)
     select $1, $4::uuid, $3::uuid, $5, $6, $7, (select coalesce(sum(quantity * unit_price_minor), 0) from line), $8::timestamptz
     where (select count(*) from refused) = 0)
   insert into return_lines (organization_id, id, return_id, line_number, order_line_id, kind, product_id, location_id, sku,
     description, quantity, unit_price_minor, amount_minor, disposition)
   select $1, id, $4, line_number, order_line_id, kind, product, case when kind = 'goods' then place end, sku, description,
     quantity, unit_price_minor, quantity * unit_price_minor, disposition from line where (select count(*) from refused) = 0`,
);

/** Values from $4 on: the origin. */
const restock = tenantStatement(
  'return_restock',
  `with line as materialized (${LINES}), sums as materialized (
     select product, place, (array_agg(movement order by line_number))[1] as movement,
       coalesce(sum(quantity) filter (where disposition = 'restock'), 0)::bigint as available,
       coalesce(sum(quantity) filter (where disposition = 'unavailable'), 0)::bigint as unavailable
     from line where kind = 'goods' group by product, place),
   back as materialized (select sums.*, level.tid from sums ${levelOf('sums')}),
   levels as (
     update stock_levels level set available = level.available + back.available, unavailable = level.unavailable + back.unavailable,
       version = level.version + 1, updated_at = now()
     from back where level.organization_id = $1 and level.ctid = back.tid)
   insert into stock_movements (organization_id, id, product_id, location_id, type, available_change, unavailable_change, ${ORIGIN_COLUMNS})
   select $1, movement, product, place, 'return', available, unavailable, $4, $5::uuid, $6, $7::timestamptz, $8, $9::uuid from back`,
);

const settle = tenantStatement(
  'return_settle',
  `update orders set version = version + 1, updated_at = now(), state = case when (
       select bool_and(returned = quantity) from order_lines where organization_id = $1 and order_id = $2::uuid and kind = 'goods')
     then 'returned' when state = 'partially_fulfilled' or not exists (
       select from order_lines where organization_id = $1 and order_id = $2 and returned > 0)
     then state else 'partially_returned' end
   where organization_id = $1 and id = $2`,
);

export interface ReturnCreation {
  readonly id: string;
  readonly body: CreateReturn;
  readonly origin: Origin;
}

export function returnCreateStatements({ id, body, origin }: ReturnCreation): Statement[] {
  const lines = JSON.stringify(
    body.lines.map((line, index) => ({ quantity: 1, ...line, line_number: index + 1, id: newId(), movement: newId() })),
  );
  const { order_id: order = null, reference = null } = body;
  const work = [
    prepare(lines, order, body.currency),
    holdPlaces(lines, order),
    lock(lines, order),
    insert(lines, order, id, reference, body.reason, body.currency, origin.occurredAt),
    restock(lines, order, ...originOf(origin)),
  ];
  return order === null ? work : [enter(order, body.currency), ...work, settle(order)];
}
