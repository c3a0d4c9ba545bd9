/**
 * SQL of the reconciliation. Level and movements of a flight commit together, so one statement, which has one snapshot, sees
 * both or neither: while others order, it finds no difference that is none.
 */
import { tenantRead, tenantStatement } from '#libs/database';
import { lockLevels } from '../level.sql';
import { ORIGIN_COLUMNS } from '../origin';

const BUCKETS = ['available', 'held', 'allocated', 'unavailable'] as const;

const sums = BUCKETS.map((bucket) => `sum(${bucket}_change) as ${bucket}`).join(', ');
const moved = (bucket: string): string => `coalesce(moved.${bucket}, 0)`;
const missing = (bucket: string): string => `(coalesce(level.${bucket}, 0) - ${moved(bucket)})`;
const DIFFERS = `(${BUCKETS.map((bucket) => `${missing(bucket)} <> 0`).join(' or ')}
    or coalesce(level.on_hand, 0) <> coalesce(${BUCKETS.map((bucket) => `level.${bucket}`).join(' + ')}, 0))`;

/** The last of the next $4 levels after a key ($2 product, $3 location), and how many they are. */
export const nextLevels = tenantRead(
  'reconcile_next',
  `select count(*) as levels, (array_agg(product_id order by product_id desc, location_id desc))[1] as product,
     (array_agg(location_id order by product_id desc, location_id desc))[1] as place
   from (select product_id, location_id from stock_levels
     where organization_id = $1 and (product_id, location_id) > ($2::uuid, $3::uuid) order by product_id, location_id limit $4) page`,
);

const IN_RANGE =
  '(product_id, location_id) > ($2::uuid, $3::uuid) and (product_id, location_id) <= ($4::uuid, $5::uuid)';

/**
 * Levels after a key ($2, $3) and up to another ($4, $5), among them movements whose level is not there: how many, and those that
 * differ. Each side is one scan of an index between both ends. Figures are text: what is broken need not be a safe integer.
 */
export const compare = tenantRead(
  'reconcile_compare',
  `with level as (
     select product_id as product, location_id as place, on_hand, ${BUCKETS.join(', ')}
     from stock_levels where organization_id = $1 and ${IN_RANGE}),
   moved as (
     select product_id as product, location_id as place, ${sums}
     from stock_movements where organization_id = $1 and ${IN_RANGE} group by product_id, location_id),
   compared as materialized (
     select product, place, ${BUCKETS.map((bucket) => `${missing(bucket)} as ${bucket}`).join(', ')},
       coalesce(level.on_hand, 0) as on_hand, ${BUCKETS.map(moved).join(' + ')} as moved, ${DIFFERS} as differs
     from level full join moved using (product, place))
   select (select count(*) from compared) as levels,
     (select coalesce(json_agg(json_build_object('product_id', product, 'sku', p.sku, 'location_id', place, 'location', l.code,
        'on_hand', on_hand::text, 'moved', moved::text, 'missing', json_build_object(
          ${BUCKETS.map((bucket) => `'${bucket}', compared.${bucket}::text`).join(', ')})) order by product, place), '[]')
      from compared
      left join products p on p.organization_id = $1 and p.id = product
      left join locations l on l.organization_id = $1 and l.id = place
      where differs) as differences`,
);

const KEYS = 'select product, place from jsonb_to_recordset($2::jsonb) as l (product uuid, place uuid)';

/** Locks the levels ($2, a JSON array), so that two repairs cannot both write what is missing once. */
export const lock = tenantStatement('reconcile_lock', lockLevels(KEYS));

/**
 * Writes what is missing of each of the levels $2 ({movement, product, place}) as a movement, where it is still missing. The level
 * stays as it is. Values from $3 on: the origin.
 */
export const repair = tenantStatement(
  'reconcile_repair',
  `insert into stock_movements (organization_id, id, product_id, location_id, type,
     ${BUCKETS.map((bucket) => `${bucket}_change`).join(', ')}, ${ORIGIN_COLUMNS})
   select $1, l.movement, l.product, l.place, 'adjustment', ${BUCKETS.map(missing).join(', ')},
     $3, $4::uuid, $5, $6::timestamptz, $7, $8::uuid
   from jsonb_to_recordset($2::jsonb) as l (movement uuid, product uuid, place uuid)
   left join stock_levels level on level.organization_id = $1 and level.product_id = l.product and level.location_id = l.place
   cross join lateral (
     select ${sums} from stock_movements m
     where m.organization_id = $1 and m.product_id = l.product and m.location_id = l.place) moved
   where ${BUCKETS.map((bucket) => `${missing(bucket)} <> 0`).join(' or ')}`,
);
