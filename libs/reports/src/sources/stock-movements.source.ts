/**
 * Units on hand before a span of days, what came and went in it by type of movement, and on hand after it. A row is computed
 * from the movements alone, by when they happened (`occurred_at`): opening + in − out = closing, whatever is sold meanwhile.
 * Movements that only reserve (allocation, hold and their opposites) leave on hand as it is and do not show.
 */
import { tenantRead } from '#libs/database';
import type { MovementsRequest } from '../report.shapes';
import type { ReportSource } from '../report-source';

/** Columns by type of movement and direction. What a type is not meant to do, such as a receipt that takes away, is "other". */
const BY_TYPE = [
  ...['receipt_in', 'return_in', 'transfer_in', 'transfer_out', 'adjustment_in', 'adjustment_out'],
  ...['count_in', 'count_out', 'fulfilment_out'],
].map((column) => {
  const [type, direction] = column.split('_');
  const [test, sign] = direction === 'in' ? ['> 0', ''] : ['< 0', '-'];
  const holds = `type = '${type}' and quantity ${test}`;
  return { column, holds, sql: `${sign}coalesce(sum(quantity) filter (where inside and ${holds}), 0)` };
});

const KNOWN = BY_TYPE.map(({ holds }) => `(${holds})`).join(' or ');

/** $4 first day, $5 last day, $6 time zone. Levels on which nothing ever lay are left out. */
const rows = tenantRead(
  'report_stock_movements',
  `select p.id as product_id, p.sku, p.name, l.location_id, place.code as location, sums.*
   from stock_levels l
   join products p on p.organization_id = $1 and p.id = l.product_id
   join locations place on place.organization_id = $1 and place.id = l.location_id
   cross join lateral (
     select coalesce(sum(quantity) filter (where not inside), 0)::text as opening,
       ${BY_TYPE.map(({ column, sql }) => `(${sql})::text as ${column}`).join(',\n       ')},
       coalesce(sum(quantity) filter (where inside and not (${KNOWN})), 0)::text as other,
       coalesce(sum(quantity), 0)::text as closing
     from (
       select m.quantity, m.type, (m.occurred_at at time zone $6::text)::date >= $4::date as inside from stock_movements m
       where m.organization_id = $1 and m.product_id = l.product_id and m.location_id = l.location_id
         and (m.occurred_at at time zone $6::text)::date <= $5::date) moved
     having count(*) > 0) sums
   where l.organization_id = $1 and l.product_id > $2::uuid and l.product_id <= $3::uuid
   order by l.product_id, l.location_id`,
);

const UNITS = ['opening', ...BY_TYPE.map(({ column }) => column), 'other', 'closing'];

export const stockMovements = ({ from, to, time_zone = 'UTC' }: MovementsRequest): ReportSource => ({
  columns: ['product_id', 'sku', 'name', 'location_id', 'location', ...UNITS],
  exact: UNITS,
  products: ({ after, upTo }) => rows(after, upTo, from, to, time_zone),
});
