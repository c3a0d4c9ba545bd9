/**
 * SQL of adjustments: one flight. First every line is resolved and its level locked in the order of the primary key
 * (so that two adjustments can never wait for each other); then levels and movements change together.
 */
import { Injectable } from '@nestjs/common';
import { tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { IdempotentFlight, type IdempotentReply, type IdempotentRequest, recordStatement } from '#libs/idempotency';
import { outboxStatement } from '#libs/queues';
import type { Adjustment, CreateAdjustment } from './adjustment.schema';
import { type Origin, ORIGIN_COLUMNS, originOf } from './origin';

/** Lines of $2 with product and location found: l.product, l.location are null where there is none. */
const RESOLVED = `
  select l.line, l.movement, l.delta, l.quantity, l.expected_quantity, coalesce(l.bucket, 'available') as bucket, l.sku as given,
    coalesce(by_sku.id, by_id.id) as product, coalesce(by_sku.sku, by_id.sku) as sku, place.id as location
  from jsonb_to_recordset($2::jsonb) as l (line integer, movement uuid, sku text, product_id uuid, location text,
    delta bigint, quantity bigint, expected_quantity bigint, bucket text)
  left join products by_sku on by_sku.organization_id = $1 and by_sku.sku = l.sku
  left join products by_id on by_id.organization_id = $1 and by_id.id = l.product_id
  left join locations place on place.organization_id = $1 and place.state = 'active'
    and case when l.location is null then place.is_default else place.code = l.location end`;

const prepare = tenantStatement(
  'adjustment_prepare',
  `with line as materialized (${RESOLVED}), refused as materialized (
     select refuse('unknown_product', 'unprocessable', 'No product of yours has this SKU or id.', format('lines[%s].%s', line - 1,
       case when given is null then 'product_id' else 'sku' end)) from line where product is null
     union all
     select refuse('unknown_location', 'unprocessable', 'No active location has this code.', format('lines[%s].location', line - 1))
       from line where location is null
     union all
     select refuse('duplicate_line', 'unprocessable', 'A counted product may stand in one line only.', format('lines[%s].quantity', max(line) - 1))
       from line group by product, location having count(*) > 1 and bool_or(quantity is not null))
   insert into stock_levels (organization_id, product_id, location_id)
   select distinct $1::uuid, product, location from line where (select count(*) from refused) = 0
   order by 2, 3 on conflict do nothing`,
);

const lock = tenantStatement(
  'adjustment_lock',
  `with line as materialized (${RESOLVED})
   select level.product_id from stock_levels level
   where level.organization_id = $1 and (level.product_id, level.location_id) in (select product, location from line)
   order by level.product_id, level.location_id for update`,
);

const apply = tenantStatement(
  'adjustment_apply',
  `with line as materialized (${RESOLVED}), change as materialized (
     select line.product, line.location, min(line.line) as line, min(line.sku) as sku, (array_agg(line.movement order by line.line))[1] as movement,
       bool_or(line.quantity is not null) as counted, max(line.expected_quantity) as expected,
       min(level.on_hand) as on_hand, min(level.available) as available, min(level.unavailable) as unavailable,
       case when bool_or(line.quantity is not null) then max(line.quantity) - min(level.on_hand)
         else coalesce(sum(line.delta) filter (where line.bucket = 'available'), 0)::bigint end as available_change,
       coalesce(sum(line.delta) filter (where line.bucket = 'unavailable'), 0)::bigint as unavailable_change
     from line join stock_levels level on level.organization_id = $1 and level.product_id = line.product and level.location_id = line.location
     group by line.product, line.location),
   refused as materialized (
     select refuse('stale_quantity', 'conflict', format('On hand is %s, not %s; read it again.', on_hand, expected),
       format('lines[%s].expected_quantity', line - 1), jsonb_build_object('sku', sku, 'current_quantity', on_hand))
     from change where expected <> on_hand
     union all
     select refuse('insufficient_stock', 'conflict', format('%s of %s are available; the change of %s would go below zero.', available, sku, available_change),
       format('lines[%s].%s', line - 1, case when counted then 'quantity' else 'delta' end), jsonb_build_object('shortages',
         jsonb_build_array(jsonb_build_object('sku', sku, 'available', available, 'requested', -available_change))))
     from change where available + available_change < 0 or unavailable + unavailable_change < 0),
   moved as (
     update stock_levels level set available = level.available + change.available_change,
       unavailable = level.unavailable + change.unavailable_change, version = level.version + 1, updated_at = now()
     from change where level.organization_id = $1 and level.product_id = change.product and level.location_id = change.location
       and (select count(*) from refused) = 0)
   insert into stock_movements (organization_id, id, product_id, location_id, type, available_change, unavailable_change, ${ORIGIN_COLUMNS})
   select $1, movement, product, location, case when counted then 'count' else 'adjustment' end, available_change, unavailable_change,
     $3, $4::uuid, $5, $6::timestamptz, $7, $8::uuid from change`,
);

const record = recordStatement(
  'adjustment_record',
  `select json_build_object('id', $5::uuid, 'reason', $6::text, 'occurred_at', $7::text, 'lines', (
     select json_agg(json_build_object('movement_id', m.id, 'product_id', m.product_id, 'sku', p.sku, 'location_id', m.location_id,
       'quantity', m.quantity, 'on_hand', level.on_hand, 'available', level.available) order by m.id)
     from stock_movements m
     join products p on p.organization_id = $1 and p.id = m.product_id
     join stock_levels level on level.organization_id = $1 and level.product_id = m.product_id and level.location_id = m.location_id
     where m.organization_id = $1 and m.id = any ($8::uuid[]))) as body`,
);

@Injectable()
export class AdjustmentRepository {
  constructor(private readonly flight: IdempotentFlight) {}

  adjust(request: IdempotentRequest, body: CreateAdjustment, origin: Origin): Promise<IdempotentReply<Adjustment>> {
    const id = newId();
    const movements = body.lines.map(() => newId());
    const lines = JSON.stringify(
      body.lines.map((line, index) => ({ ...line, line: index + 1, movement: movements[index] })),
    );
    const movedBy = { ...origin, reference: { type: 'adjustment', id } };
    return this.flight.run<Adjustment>(request, {
      status: 201,
      statements: [
        prepare(lines),
        lock(lines),
        apply(lines, ...originOf(movedBy)),
        outboxStatement([
          {
            topic: 'stock.adjusted',
            aggregateType: 'adjustment',
            aggregateId: id,
            payload: { adjustment_id: id, reason: body.reason },
          },
        ]),
      ],
      record: record(id, body.reason, origin.occurredAt.toISOString(), movements),
    });
  }
}
