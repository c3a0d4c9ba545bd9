/**
 * Stock that nobody wants: on hand, none of it allocated, and for so many days nothing was shipped or transferred away. What is
 * counted, written off or corrected has not been wanted either. Stock that came for the first time within those days is too
 * young to be dead.
 */
import { rfc3339, tenantRead } from '#libs/database';
import type { DeadStockRequest } from '../report.shapes';
import type { ReportSource } from '../report-source';

/** $4 the moment before which the last unit left. */
const rows = tenantRead(
  'report_dead_stock',
  `select p.id as product_id, p.sku, p.name, l.location_id, place.code as location, l.on_hand, l.available, l.held,
     l.unavailable, ${rfc3339('moved.last_out')} as last_out_at, ${rfc3339('moved.first')} as first_moved_at,
     p.currency, p.price_minor as unit_value_minor, (l.on_hand::numeric * p.price_minor)::text as value_minor
   from stock_levels l
   join products p on p.organization_id = $1 and p.id = l.product_id
   join locations place on place.organization_id = $1 and place.id = l.location_id
   cross join lateral (
     select max(m.occurred_at) filter (where m.type in ('fulfilment', 'transfer') and m.quantity < 0) as last_out,
       min(m.occurred_at) as first
     from stock_movements m where m.organization_id = $1 and m.product_id = l.product_id and m.location_id = l.location_id) moved
   where l.organization_id = $1 and l.product_id > $2::uuid and l.product_id <= $3::uuid and l.on_hand > 0 and l.allocated = 0
     and coalesce(moved.last_out, moved.first, '-infinity') < $4::timestamptz
   order by l.product_id, l.location_id`,
);

const DAY_MS = 86_400_000;

/** `nowMs` is the moment that the days are counted back from. */
export function deadStock({ days }: DeadStockRequest, nowMs: number): ReportSource {
  const since = new Date(nowMs - days * DAY_MS);
  return {
    columns: [
      ...['product_id', 'sku', 'name', 'location_id', 'location', 'on_hand', 'available', 'held', 'unavailable'],
      ...['last_out_at', 'first_moved_at', 'currency', 'unit_value_minor', 'value_minor'],
    ],
    exact: ['value_minor'],
    products: ({ after, upTo }) => rows(after, upTo, since),
    summary: { add: () => undefined, result: () => ({ nothing_left_since: since.toISOString() }) },
  };
}
