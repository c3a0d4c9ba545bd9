/**
 * An order's way from state to state, one flight each:
 *
 *   draft → confirmed → allocated → partially_fulfilled → fulfilled → (partially_)returned
 *   draft, confirmed, allocated → cancelled
 *
 * Each begins by locking the order's row and checking its state, then locks the levels in the order of their key.
 * Confirmed orders hold no stock; allocated ones hold theirs in `allocated`; fulfilled goods have left.
 */
import { type Statement, tenantStatement } from '#libs/database';
import { levelOf, type Origin, ORIGIN_COLUMNS, originOf } from '#libs/inventory';
import { ARCHIVED, lockOrderLevels, ORDERED, SHORTAGES } from './order.sql';
import type { FulfilOrder } from './order.schema';

/** $2 order, $3 states it may come from, $4 the version of If-Match or null, $5 the action's name. */
const enter = tenantStatement(
  'order_enter',
  `with found as materialized (select state, version from orders where organization_id = $1 and id = $2::uuid for update)
   select case when not exists (select from found) then refuse('not_found', 'not_found', 'There is no such resource.') end,
     (select case
        when $4::integer is not null and version <> $4 then refuse('version_mismatch', 'precondition_failed',
          'The order has changed since you read it; read it again.', 'If-Match', jsonb_build_object('current', version))
        when state <> all ($3::text[]) then refuse('invalid_state_transition', 'conflict', format('The order is %s; to %s it must be %s.',
          state, $5::text, array_to_string($3::text[], ' or ')), null, jsonb_build_object('state', state)) end from found)`,
);

const confirm = tenantStatement(
  'order_confirm',
  `update orders set state = 'confirmed', version = version + 1, updated_at = now() where organization_id = $1 and id = $2::uuid`,
);

/** Takes the stock of a draft or confirmed order. Values from $3 on: the origin. */
const allocate = tenantStatement(
  'order_allocate',
  `with asked as materialized (${ORDERED}),
   need as materialized (select asked.*, level.tid, coalesce(level.available, 0) as available from asked ${levelOf('asked')}),
   refused as materialized (${ARCHIVED} union all ${SHORTAGES}),
   taken as (
     update stock_levels level set available = level.available - need.quantity, allocated = level.allocated + need.quantity,
       version = level.version + 1, updated_at = now()
     from need where level.organization_id = $1 and level.ctid = need.tid and level.available >= need.quantity
       and (select count(*) from refused) = 0),
   lines as (
     update order_lines set allocated = quantity where organization_id = $1 and order_id = $2 and kind = 'goods'),
   header as (
     update orders set state = 'allocated', version = version + 1, updated_at = now() where organization_id = $1 and id = $2)
   insert into stock_movements (organization_id, id, product_id, location_id, type, available_change, allocated_change, ${ORIGIN_COLUMNS})
   select $1, new_id(), product, place, 'allocation', -quantity, quantity, $3, $4::uuid, $5, $6::timestamptz, $7, $8::uuid
   from need`,
);

/** Gives allocated stock back and cancels. */
const cancel = tenantStatement(
  'order_cancel',
  `with held as materialized (
     select sums.*, level.tid from (
       select product_id as product, location_id as place, sum(allocated)::bigint as quantity from order_lines
       where organization_id = $1 and order_id = $2::uuid and allocated > 0 group by product_id, location_id) sums ${levelOf('sums')}),
   given as (
     update stock_levels level set available = level.available + held.quantity, allocated = level.allocated - held.quantity,
       version = level.version + 1, updated_at = now()
     from held where level.organization_id = $1 and level.ctid = held.tid),
   lines as (
     update order_lines set allocated = 0 where organization_id = $1 and order_id = $2 and allocated > 0),
   header as (
     update orders set state = 'cancelled', version = version + 1, updated_at = now() where organization_id = $1 and id = $2)
   insert into stock_movements (organization_id, id, product_id, location_id, type, available_change, allocated_change, ${ORIGIN_COLUMNS})
   select $1, new_id(), product, place, 'deallocation', quantity, -quantity, $3, $4::uuid, $5, $6::timestamptz, $7, $8::uuid
   from held`,
);

/** Goods leave. $9 is null for everything allocated, or [{line_id, quantity}], summed by line. */
const fulfil = tenantStatement(
  'order_fulfil',
  `with asked as materialized (
     select line_id, sum(quantity)::bigint as quantity, min(ordinality) as position
     from rows from (jsonb_to_recordset($9::jsonb) as (line_id uuid, quantity bigint)) with ordinality group by line_id),
   leaving as materialized (
     select l.id, l.product_id, l.location_id, case when $9::jsonb is null then l.allocated else asked.quantity end as quantity
     from order_lines l left join asked on asked.line_id = l.id
     where l.organization_id = $1 and l.order_id = $2::uuid and l.kind = 'goods' and l.allocated > 0
       and ($9::jsonb is null or asked.quantity <= l.allocated)),
   refused as materialized (
     select refuse('not_allocated', 'conflict', 'The order has not that much of this line allocated.', format('lines[%s]', asked.position - 1),
       jsonb_build_object('line_id', asked.line_id)) from asked where asked.line_id not in (select id from leaving)),
   lines as (
     update order_lines l set allocated = l.allocated - leaving.quantity, fulfilled = l.fulfilled + leaving.quantity
     from leaving where l.organization_id = $1 and l.id = leaving.id and (select count(*) from refused) = 0),
   moved as materialized (
     select sums.*, level.tid from (
       select product_id as product, location_id as place, sum(quantity)::bigint as quantity
       from leaving group by product_id, location_id) sums ${levelOf('sums')}),
   levels as (
     update stock_levels level set allocated = level.allocated - moved.quantity, version = level.version + 1, updated_at = now()
     from moved where level.organization_id = $1 and level.ctid = moved.tid),
   header as (
     update orders set version = version + 1, updated_at = now(), state = case when (
         select coalesce(sum(allocated), 0) from order_lines where organization_id = $1 and order_id = $2)
       = (select coalesce(sum(quantity), 0) from leaving) then case when exists (
         select from order_lines where organization_id = $1 and order_id = $2 and returned > 0) then 'partially_returned' else 'fulfilled' end
       else 'partially_fulfilled' end
     where organization_id = $1 and id = $2)
   insert into stock_movements (organization_id, id, product_id, location_id, type, allocated_change, ${ORIGIN_COLUMNS})
   select $1, new_id(), product, place, 'fulfilment', -quantity, $3, $4::uuid, $5, $6::timestamptz, $7, $8::uuid
   from moved`,
);

export type OrderAction = 'confirm' | 'allocate' | 'fulfil' | 'cancel';

const FROM: Readonly<Record<OrderAction, readonly string[]>> = {
  confirm: ['draft'],
  allocate: ['draft', 'confirmed'],
  fulfil: ['allocated', 'partially_fulfilled'],
  cancel: ['draft', 'confirmed', 'allocated'],
};

export interface OrderTransition {
  readonly id: string;
  readonly action: OrderAction;
  readonly version: number | undefined;
  readonly origin: Origin;
  readonly lines: FulfilOrder['lines'];
}

export function orderTransitionStatements(transition: OrderTransition): Statement[] {
  const { id, action, version, origin, lines } = transition;
  const entered = enter(id, FROM[action], version ?? null, action);
  if (action === 'confirm') return [entered, confirm(id)];
  const moved = [id, ...originOf(origin)];
  if (action === 'allocate') return [entered, lockOrderLevels(id), allocate(...moved)];
  if (action === 'cancel') return [entered, lockOrderLevels(id), cancel(...moved)];
  return [entered, lockOrderLevels(id), fulfil(...moved, lines === undefined ? null : JSON.stringify(lines))];
}
