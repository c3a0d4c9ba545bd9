/**
 * A new order in one flight. First, without a lock, unknown lines and evident shortages are refused; order, lines and
 * movements are written; only then, last before the commit, the levels are locked in the order of their key (so that
 * orders whose lines stand in opposite order cannot wait for each other), checked again and changed. A level that many
 * orders want is thereby held for one statement and the commit, not for the time of the whole order.
 */
import { type Statement, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { levelOf, type Origin, ORIGIN_COLUMNS, originOf } from '#libs/inventory';
import { lockOrderLevels, ORDERED, RESOLVED_LINES, SHORTAGES, UNKNOWN_LINES, unpayableLines } from './order.sql';
import type { CreateOrder } from './order.schema';

const ASKED = `
  select product, place, sum(quantity)::bigint as quantity, min(sku) as sku, min(line_number) as line_number,
    (array_agg(movement order by line_number))[1] as movement
  from line where kind = 'goods' group by product, place`;

/** $4 currency; $3 is true when the order takes its stock: then what is short already now is refused before anything is written. */
const check = tenantStatement(
  'order_create_check',
  `with line as materialized (${RESOLVED_LINES}), refused as materialized (${UNKNOWN_LINES} union all ${unpayableLines('$4::text')}), asked as materialized (${ASKED}),
   need as materialized (
     select asked.*, coalesce(level.available, 0) as available from asked ${levelOf('asked')} where $3::boolean),
   lacking as materialized (${SHORTAGES})
   select (select count(*) from refused) as unknown, (select count(*) from lacking) as short`,
);

/** $3 id, $4 reference, $5 customer, $6 state, $7 currency, $8 occurred_at; from $9 on the origin. */
const insert = tenantStatement(
  'order_create_insert',
  `with line as materialized (${RESOLVED_LINES}), new_order as (
     insert into orders (organization_id, id, reference, customer_reference, state, currency, total_minor, occurred_at)
     select $1, $3::uuid, $4, $5, $6, $7, (select coalesce(sum(quantity * unit_price_minor), 0) from line), $8::timestamptz),
   moved as (
     insert into stock_movements (organization_id, id, product_id, location_id, type, available_change, allocated_change, ${ORIGIN_COLUMNS})
     select $1, movement, product, place, case when $6 = 'fulfilled' then 'fulfilment' else 'allocation' end, -quantity,
       case when $6 = 'fulfilled' then 0 else quantity end, $9, $10::uuid, $11, $12::timestamptz, $13, $14::uuid
     from (${ASKED}) asked where $6 in ('allocated', 'fulfilled'))
   insert into order_lines (organization_id, id, order_id, line_number, kind, product_id, location_id, sku, description,
     quantity, unit_price_minor, amount_minor, allocated, fulfilled)
   select $1, id, $3, line_number, kind, product, place, sku, description, quantity, unit_price_minor, quantity * unit_price_minor,
     case when kind = 'goods' and $6 = 'allocated' then quantity else 0 end,
     case when kind = 'goods' and $6 = 'fulfilled' then quantity else 0 end
   from line`,
);

/** Takes the stock of the order's lines from levels that are locked. $2 order, $3 true when the goods leave at once. */
const take = tenantStatement(
  'order_create_take',
  `with asked as materialized (${ORDERED}),
   need as materialized (select asked.*, level.tid, coalesce(level.available, 0) as available from asked ${levelOf('asked')}),
   refused as materialized (${SHORTAGES})
   update stock_levels level set available = level.available - need.quantity,
     allocated = level.allocated + case when $3::boolean then 0 else need.quantity end,
     version = level.version + 1, updated_at = now()
   from need where level.organization_id = $1 and level.ctid = need.tid and level.available >= need.quantity
     and (select count(*) from refused) = 0`,
);

export type StartState = NonNullable<CreateOrder['advance_to']>;

export interface OrderCreation {
  readonly id: string;
  readonly state: StartState;
  readonly body: CreateOrder;
  readonly origin: Origin;
}

export interface OrderCreationStatements {
  readonly statements: Statement[];
  /** Under locks: to run after everything else. */
  readonly last: Statement[];
}

/** Statements of a new order, to stand between the claim of its key and the commit. */
export function orderCreateStatements({ id, state, body, origin }: OrderCreation): OrderCreationStatements {
  const lines = JSON.stringify(
    body.lines.map((line, index) => ({ quantity: 1, ...line, line_number: index + 1, id: newId(), movement: newId() })),
  );
  const takes = state === 'allocated' || state === 'fulfilled';
  const { reference = null, customer_reference: customer = null, currency } = body;
  const created = insert(lines, id, reference, customer, state, currency, origin.occurredAt, ...originOf(origin));
  return {
    statements: [check(lines, takes, currency), created],
    last: takes ? [lockOrderLevels(id), take(id, state === 'fulfilled')] : [],
  };
}
