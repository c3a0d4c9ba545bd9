/** Levels that are at or below their threshold, as they are when their row is read, with the alert that is open for each. */
import { rfc3339, tenantRead } from '#libs/database';
import type { ReportSource } from '../report-source';

const rows = tenantRead(
  'report_low_stock',
  `select p.id as product_id, p.sku, p.name, l.location_id, place.code as location, l.on_hand, l.available, l.allocated,
     l.incoming, l.low_stock_threshold, l.low_stock_threshold - l.available as below_by, alert.id as alert_id,
     ${rfc3339('alert.opened_at')} as opened_at, ${rfc3339('alert.acknowledged_at')} as acknowledged_at
   from stock_levels l
   join products p on p.organization_id = $1 and p.id = l.product_id
   join locations place on place.organization_id = $1 and place.id = l.location_id
   left join stock_alerts alert on alert.organization_id = $1 and alert.product_id = l.product_id
     and alert.location_id = l.location_id and alert.resolved_at is null
   where l.organization_id = $1 and l.product_id > $2::uuid and l.product_id <= $3::uuid
     and l.available <= l.low_stock_threshold
   order by l.product_id, l.location_id`,
);

export const lowStock = (): ReportSource => ({
  columns: [
    ...['product_id', 'sku', 'name', 'location_id', 'location', 'on_hand', 'available', 'allocated', 'incoming'],
    ...['low_stock_threshold', 'below_by', 'alert_id', 'opened_at', 'acknowledged_at'],
  ],
  exact: [],
  products: ({ after, upTo }) => rows(after, upTo),
});
