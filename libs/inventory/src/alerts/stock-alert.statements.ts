/**
 * SQL of alerts. Everything that opens or resolves one holds the level's lock, so that nobody changes the level meanwhile and
 * two looks at it come one after the other; and it takes the level as it stands, whatever made it look.
 */
import { rfc3339, tenantRead, tenantStatement } from '#libs/database';
import { lockLevels } from '../level.sql';

const LOW = 'coalesce(level.available <= level.low_stock_threshold, false)';
const KEYS = 'jsonb_to_recordset($2::jsonb) as k (product uuid, place uuid)';

/** Locks the levels $2, [{product, place}], in the order of their key. */
export const lockLooked = tenantStatement('stock_alert_lock', lockLevels(`select product, place from ${KEYS}`));

/** An alert as events tell it. */
const told = (alert: string): string => `jsonb_build_object('alert_id', ${alert}.id, 'product_id', ${alert}.product_id,
  'location_id', ${alert}.location_id, 'threshold', ${alert}.threshold, 'available', ${alert}.now_available,
  'lowest_available', ${alert}.lowest_available, 'opened_at', ${rfc3339(`${alert}.opened_at`)},
  'resolved_at', ${rfc3339(`${alert}.resolved_at`)})`;

/**
 * Brings the alerts of the levels $2, which are locked, to what the levels say, and strikes their notes. Each alert that opens
 * or resolves leaves an event. Doing it again changes nothing.
 */
export const settleAlerts = tenantStatement(
  'stock_alert_settle',
  `with looked as materialized (
     select k.product, k.place, level.available, level.low_stock_threshold as threshold, ${LOW} as low, alert.id as alert
     from ${KEYS}
     left join lateral (select l.available, l.low_stock_threshold from stock_levels l
       where l.organization_id = $1 and l.product_id = k.product and l.location_id = k.place limit 1) level on true
     left join lateral (select a.id from stock_alerts a where a.organization_id = $1 and a.product_id = k.product
       and a.location_id = k.place and a.resolved_at is null limit 1) alert on true),
   struck as (
     delete from stock_crossings c using looked
     where c.organization_id = $1 and c.product_id = looked.product and c.location_id = looked.place),
   opened as (
     insert into stock_alerts (organization_id, id, product_id, location_id, threshold, available, lowest_available)
     select $1, new_id(), product, place, threshold, available, available from looked where low and alert is null
     returning id, product_id, location_id, threshold, lowest_available, opened_at, resolved_at, available as now_available),
   deepened as (
     update stock_alerts a set lowest_available = looked.available from looked
     where a.organization_id = $1 and a.id = looked.alert and looked.low and looked.available < a.lowest_available),
   resolved as (
     update stock_alerts a set resolved_at = now(), version = a.version + 1 from looked
     where a.organization_id = $1 and a.id = looked.alert and not looked.low
     returning a.id, a.product_id, a.location_id, a.threshold, a.lowest_available, a.opened_at, a.resolved_at,
       looked.available as now_available),
   sent as (
     insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
     select $1, new_id(), 'stock_alert.opened', 'stock_alert', opened.id, ${told('opened')} from opened
     union all
     select $1, new_id(), 'stock_alert.resolved', 'stock_alert', resolved.id, ${told('resolved')} from resolved)
   select (select count(*) from opened) as opened, (select count(*) from resolved) as resolved`,
);

/** Up to $4 noted levels after a key ($2, $3). */
export const notedLevels = tenantRead(
  'stock_alert_noted',
  `select product_id as product, location_id as place from stock_crossings
   where organization_id = $1 and (product_id, location_id) > ($2::uuid, $3::uuid) order by product_id, location_id limit $4`,
  'primary',
);

/**
 * The last of the next $4 levels after a key ($2, $3), how many they are, and those among them whose alert is not what the level says,
 * or does not know how low it has come.
 */
export const comparedLevels = tenantRead(
  'stock_alert_compared',
  `with page as materialized (
     select product_id as product, location_id as place, available, low_stock_threshold from stock_levels
     where organization_id = $1 and (product_id, location_id) > ($2::uuid, $3::uuid) order by product_id, location_id limit $4)
   select count(*) as levels, (array_agg(level.product order by level.product desc, level.place desc))[1] as product,
     (array_agg(level.place order by level.product desc, level.place desc))[1] as place,
     coalesce(json_agg(json_build_object('product', level.product, 'place', level.place) order by level.product, level.place)
       filter (where ${LOW} <> (alert.id is not null) or level.available < alert.lowest_available), '[]') as wrong
   from page level
   left join lateral (select a.id, a.lowest_available from stock_alerts a where a.organization_id = $1
     and a.product_id = level.product and a.location_id = level.place and a.resolved_at is null limit 1) alert on true`,
  'primary',
);

const BODY = `
  select a.id, case when a.resolved_at is null then 'open' else 'resolved' end as state, a.product_id, p.sku, a.location_id,
    a.threshold, a.available, a.lowest_available, ${rfc3339('a.opened_at')} as opened_at, ${rfc3339('a.resolved_at')} as resolved_at,
    ${rfc3339('a.acknowledged_at')} as acknowledged_at,
    case when a.acknowledged_at is not null then
      json_build_object('type', a.acknowledged_by_type, 'id', a.acknowledged_by_id) end as acknowledged_by, a.version
  from stock_alerts a join products p on p.organization_id = $1 and p.id = a.product_id
  where a.organization_id = $1`;

export const selectAlert = tenantRead('stock_alert_select', `${BODY} and a.id = $2`);
export const selectNewestAlert = tenantRead('stock_alert_select_newest', `${BODY} and a.id = $2`, 'primary');
export const listAlerts = tenantRead(
  'stock_alert_list',
  `${BODY} and ($2::uuid is null or a.id < $2) and ($3::text is null or ($3 = 'open') = (a.resolved_at is null))
     and ($4::uuid is null or a.product_id = $4) and ($5::uuid is null or a.location_id = $5)
   order by a.id desc limit $6`,
);

export const ALERT_MOVED = 'stock_alert_moved';

/** From the version that was read ($3), by $4, $5; refuses the whole batch where it is another by now. */
export const acknowledgeAlert = tenantStatement(
  'stock_alert_acknowledge',
  `with changed as (
     update stock_alerts set acknowledged_at = now(), acknowledged_by_type = $4, acknowledged_by_id = $5::uuid, version = version + 1
     where organization_id = $1 and id = $2 and version = $3 and acknowledged_at is null returning id)
   select refuse('${ALERT_MOVED}', 'conflict', 'The alert has changed since it was read.') where not exists (select from changed)`,
);

/** Up to $3 alerts that were resolved more than $2 days ago. */
export const deleteOldAlerts = tenantStatement(
  'stock_alert_delete_old',
  `delete from stock_alerts where organization_id = $1 and id in (
     select id from stock_alerts where organization_id = $1 and resolved_at < now() - make_interval(days => $2) limit $3)`,
);

/** A job for notes that have lain for so long that theirs must have failed, or was cancelled. */
export const requeueForgotten = tenantStatement(
  'stock_alert_requeue',
  `select queue_crossing_check($1) where exists (
     select from stock_crossings where organization_id = $1 and crossed_at < now() - interval '5 minutes')`,
);
