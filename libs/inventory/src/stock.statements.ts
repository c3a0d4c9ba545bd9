/** SQL that reads levels and movements. Lists go by key, with one row more than asked for. */
import { rfc3339, tenantRead } from '#libs/database';
import { filteredList } from './filtered-list';

/** The names come last, each by its key: however far on the page is, no more products are read than it has. */
export const listLevels = filteredList({
  name: 'stock_levels_list',
  text: `with page as (
     select * from stock_levels where organization_id = $1 and (product_id, location_id) > ($2::uuid, $3::uuid)`,
  filters: {
    product: 'product_id = ?',
    sku: 'product_id = (select id from products where organization_id = $1 and sku = ?)',
    location: 'location_id = ?',
  },
  order: `order by product_id, location_id limit $4)
   select page.product_id, p.sku, page.location_id, page.on_hand, page.available, page.held, page.allocated,
     page.unavailable, page.incoming, page.low_stock_threshold,
     coalesce(page.available <= page.low_stock_threshold, false) as is_low, page.updated_at
   from page cross join lateral (
     select sku from products where organization_id = $1 and id = page.product_id limit 1) p
   order by page.product_id, page.location_id`,
});

const MOVEMENT_COLUMNS = `id, product_id, location_id, type, reason,
  json_build_object('type', actor_type, 'id', actor_id) as actor,
  case when reference_id is not null then json_build_object('type', reference_type, 'id', reference_id) end as reference,
  ${rfc3339('occurred_at')} as occurred_at, ${rfc3339('recorded_at')} as recorded_at,
  quantity, available_change, held_change, allocated_change, unavailable_change`;

/** Newest first. */
export const listMovements = filteredList({
  name: 'stock_movements_list',
  text: `select ${MOVEMENT_COLUMNS} from stock_movements where organization_id = $1 and id < $2::uuid`,
  filters: { product: 'product_id = ?', location: 'location_id = ?', reference: 'reference_id = ?' },
  order: 'order by id desc limit $3',
});

/** Sums of the movements of each level of a page. */
export const sumMovements = tenantRead(
  'stock_movements_sum',
  `with page as materialized (
     select product_id, location_id from stock_levels
     where organization_id = $1 and (product_id, location_id) > ($2::uuid, $3::uuid)
     order by product_id, location_id limit $4)
   select page.product_id, p.sku, page.location_id, count(m.id) as movements, coalesce(sum(m.quantity), 0) as quantity,
     coalesce(sum(m.available_change), 0) as available_change, coalesce(sum(m.held_change), 0) as held_change,
     coalesce(sum(m.allocated_change), 0) as allocated_change, coalesce(sum(m.unavailable_change), 0) as unavailable_change
   from page join products p on p.organization_id = $1 and p.id = page.product_id
   left join stock_movements m on m.organization_id = $1 and m.product_id = page.product_id and m.location_id = page.location_id
   group by page.product_id, p.sku, page.location_id order by page.product_id, page.location_id`,
);
