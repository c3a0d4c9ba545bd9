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
import { levelOf, lockLevels, placeOf } from './level.sql';
import { type Origin, ORIGIN_COLUMNS, originOf } from './origin';

/** Lines of $2 with product and place found: product, place are null where there is none. */
const RESOLVED = `
  select l.line, l.movement, l.delta, l.quantity, l.expected_quantity, coalesce(l.bucket, 'available') as bucket, l.sku as given,
    coalesce(by_sku.id, by_id.id) as product, coalesce(by_sku.sku, by_id.sku) as sku, ${placeOf('l.location')} as place
  from jsonb_to_recordset($2::jsonb) as l (line integer, movement uuid, sku text, product_id uuid, location text,
    delta bigint, quantity bigint, expected_quantity bigint, bucket text)
  left join lateral (select p.id, p.sku from products p where p.organization_id = $1 and p.sku = l.sku limit 1) by_sku on true
  left join lateral (select p.id, p.sku from products p where p.organization_id = $1 and p.id = l.product_id limit 1) by_id on true`;

/** Asked again under the locks of the levels: a location may have been archived in between. */
const UNKNOWN_PLACES = `
  select refuse('unknown_location', 'unprocessable', 'No active location has this code.', format('lines[%s].location', line - 1))
  from line where place is null`;

const prepare = tenantStatement(
  'adjustment_prepare',
  `with line as materialized (${RESOLVED}), refused as materialized (
     select refuse('unknown_product', 'unprocessable', 'No product of yours has this SKU or id.', format('lines[%s].%s', line - 1,
       case when given is null then 'product_id' else 'sku' end)) from line where product is null
     union all
     ${UNKNOWN_PLACES}
     union all
     select refuse('duplicate_line', 'unprocessable', 'A counted product may stand in one line only.', format('lines[%s].quantity', max(line) - 1))
       from line group by product, place having count(*) > 1 and bool_or(quantity is not null))
   insert into stock_levels (organization_id, product_id, location_id)
   select distinct $1::uuid, product, place from line where (select count(*) from refused) = 0
   order by 2, 3 on conflict do nothing`,
);

const lock = tenantStatement(
  'adjustment_lock',
  `with line as materialized (${RESOLVED}) ${lockLevels('select product, place from line')}`,
);

const apply = tenantStatement(
  'adjustment_apply',
  `with line as materialized (${RESOLVED}), asked as materialized (
     select product, place, min(line) as line, min(sku) as sku, (array_agg(movement order by line))[1] as movement,
       max(quantity) as counted, max(expected_quantity) as expected,
       coalesce(sum(delta) filter (where bucket = 'available'), 0)::bigint as available_delta,
       coalesce(sum(delta) filter (where bucket = 'unavailable'), 0)::bigint as unavailable_change
     from line group by product, place),
   change as materialized (
     select asked.*, level.tid, level.on_hand, level.available, level.unavailable,
       coalesce(asked.counted - level.on_hand, asked.available_delta) as available_change
     from asked ${levelOf('asked')}),
   refused as materialized (
     ${UNKNOWN_PLACES}
     union all
     select refuse('stale_quantity', 'conflict', format('On hand is %s, not %s; read it again.', on_hand, expected),
       format('lines[%s].expected_quantity', line - 1), jsonb_build_object('sku', sku, 'current_quantity', on_hand))
     from change where expected <> on_hand
     union all
     select refuse('insufficient_stock', 'conflict', format('%s of %s are available; the change of %s would go below zero.', available, sku, available_change),
       format('lines[%s].%s', line - 1, case when counted is null then 'delta' else 'quantity' end), jsonb_build_object('shortages',
         jsonb_build_array(jsonb_build_object('sku', sku, 'available', available, 'requested', -available_change))))
     from change where available + available_change < 0 or unavailable + unavailable_change < 0),
   moved as (
     update stock_levels level set available = level.available + change.available_change,
       unavailable = level.unavailable + change.unavailable_change, version = level.version + 1, updated_at = now()
     from change where level.organization_id = $1 and level.ctid = change.tid and (select count(*) from refused) = 0)
   insert into stock_movements (organization_id, id, product_id, location_id, type, available_change, unavailable_change, ${ORIGIN_COLUMNS})
   select $1, movement, product, place, case when counted is null then 'adjustment' else 'count' end, available_change, unavailable_change,
     $3, $4::uuid, $5, $6::timestamptz, $7, $8::uuid from change where (select count(*) from refused) = 0`,
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
