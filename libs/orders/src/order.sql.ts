/** Fragments of SQL that the statements of orders share. */
import { rfc3339, tenantStatement } from '#libs/database';
import { lockLevels, placeOf } from '#libs/inventory';

const SUMMARY_FIELDS = (order: string): string => `
  'id', ${order}.id, 'reference', ${order}.reference, 'customer_reference', ${order}.customer_reference, 'state', ${order}.state,
  'currency', ${order}.currency, 'total_minor', ${order}.total_minor, 'occurred_at', ${rfc3339(`${order}.occurred_at`)},
  'version', ${order}.version, 'created_at', ${rfc3339(`${order}.created_at`)}, 'updated_at', ${rfc3339(`${order}.updated_at`)}`;

/** An order without its lines, as the API shows it. */
export const orderSummary = (order: string): string => `json_build_object(${SUMMARY_FIELDS(order)})`;

/** SELECT of one order with its lines as column `body`; `id` is the SQL of the order's id. */
export const orderBody = (id: string): string => `
  select json_build_object(${SUMMARY_FIELDS('o')}, 'lines', (
    select json_agg(json_build_object('id', l.id, 'line_number', l.line_number, 'kind', l.kind, 'product_id', l.product_id,
      'location_id', l.location_id, 'sku', l.sku, 'description', l.description, 'quantity', l.quantity,
      'unit_price_minor', l.unit_price_minor, 'amount_minor', l.amount_minor, 'allocated', l.allocated,
      'fulfilled', l.fulfilled, 'returned', l.returned) order by l.line_number)
    from order_lines l where l.organization_id = $1 and l.order_id = o.id)) as body
  from orders o where o.organization_id = $1 and o.id = ${id}`;

/**
 * The request's lines ($2, a JSON array) with product, place and price found. `product` and `place` are null
 * where there is none; goods of an archived product count as unknown. LATERAL with LIMIT asks the index for each line:
 * while the statistics do not know an organization yet, a join would read its whole catalogue.
 */
export const RESOLVED_LINES = `
  select l.line_number, l.id, l.movement, l.kind, l.quantity, l.description, l.sku as given_sku, l.order_line_id, l.disposition,
    coalesce(by_sku.id, by_id.id) as product, coalesce(by_sku.sku, by_id.sku, l.sku) as sku, case when l.kind = 'goods' then ${placeOf('l.location')} end as place,
    coalesce(l.unit_price_minor, by_sku.price_minor, by_id.price_minor) as unit_price_minor, l.location as given_location,
    case when l.unit_price_minor is null then coalesce(by_sku.currency, by_id.currency) end as price_currency
  from jsonb_to_recordset($2::jsonb) as l (line_number integer, id uuid, movement uuid, kind text, sku text, product_id uuid,
    location text, quantity bigint, unit_price_minor bigint, description text, order_line_id uuid, disposition text)
  left join lateral (select p.id, p.sku, p.price_minor, p.currency from products p
    where p.organization_id = $1 and p.sku = l.sku and p.state = 'active' limit 1) by_sku on l.kind = 'goods'
  left join lateral (select p.id, p.sku, p.price_minor, p.currency from products p
    where p.organization_id = $1 and p.id = l.product_id and p.state = 'active' limit 1) by_id on l.kind = 'goods'`;

/** Refusals for lines of goods whose product or location is not there; a SELECT to union into a list of refusals. */
export const UNKNOWN_LINES = `
  select refuse('unknown_product', 'unprocessable', 'No active product of yours has this SKU or id.', format('lines[%s].%s', line_number - 1,
    case when given_sku is null then 'product_id' else 'sku' end)) from line where kind = 'goods' and product is null
  union all
  select refuse('unknown_location', 'unprocessable', 'No active location has this code.', format('lines[%s].location', line_number - 1))
  from line where kind = 'goods' and place is null`;

/** Refuses the flight when a row of `need` (quantity, available, sku, line_number) asks for more than is available. */
export const SHORTAGES = `
  select refuse('insufficient_stock', 'conflict', format('%s of the ordered products are short; nothing was taken.', jsonb_array_length(lines)),
    format('lines[%s].quantity', line_number - 1), jsonb_build_object('shortages', lines))
  from (select min(line_number) as line_number, jsonb_agg(jsonb_build_object('line', line_number, 'sku', sku, 'requested', quantity,
      'available', available) order by line_number) as lines
    from need where available < quantity having count(*) > 0) short`;

/** Refuses the flight when a row of `need` (product, place, line_number) is of an archived product or location. */
export const ARCHIVED = `
  select refuse(case when p.state = 'archived' then 'product_archived' else 'location_archived' end, 'conflict',
    format('The %s %s is archived; make it active again, or cancel the order.', case when p.state = 'archived' then 'product' else 'location' end,
      case when p.state = 'archived' then p.sku else l.code end),
    format('lines[%s].%s', line_number - 1, case when p.state = 'archived' then 'sku' else 'location' end))
  from need
  cross join lateral (select sku, state from products where organization_id = $1 and id = need.product limit 1) p
  cross join lateral (select code, state from locations where organization_id = $1 and id = need.place limit 1) l
  where p.state = 'archived' or l.state = 'archived'`;

/** What an order ($2) takes, by product and place. */
export const ORDERED = `
  select product_id as product, location_id as place, sum(quantity)::bigint as quantity, min(sku) as sku, min(line_number) as line_number
  from order_lines where organization_id = $1 and order_id = $2::uuid and kind = 'goods' group by product_id, location_id`;

/** Locks the levels of an order's goods, in the order of their key. */
export const lockOrderLevels = tenantStatement(
  'order_lock_levels',
  lockLevels(
    "select product_id as product, location_id as place from order_lines where organization_id = $1 and order_id = $2::uuid and kind = 'goods'",
  ),
);

/** Refuses prices of products in another currency than `currency` (SQL), and sums that are no safe integers any more. */
export const unpayableLines = (currency: string): string => `
  select refuse('currency_mismatch', 'unprocessable', format('The price of %s is in %s; give unit_price_minor in %s.', sku, price_currency, ${currency}),
    format('lines[%s].unit_price_minor', line_number - 1)) from line where price_currency <> ${currency}
  union all
  select refuse('amount_out_of_range', 'unprocessable', 'The amounts exceed 9007199254740991 minor units; split the request.', 'lines')
  from (select sum(abs(quantity::numeric * unit_price_minor)) as total from line) sums where total > 9007199254740991`;
