/**
 * On hand, valued at the product's list price as it is when its row is read. The catalogue knows no cost: it is what the stock
 * would sell for, not what was paid for it.
 */
import { tenantRead } from '#libs/database';
import type { FileRow } from '#libs/storage';
import type { ReportSource } from '../report-source';

const rows = tenantRead(
  'report_stock_valuation',
  `select p.id as product_id, p.sku, p.name, l.location_id, place.code as location, l.on_hand, l.available, l.held,
     l.allocated, l.unavailable, p.currency, p.price_minor as unit_value_minor,
     (l.on_hand::numeric * p.price_minor)::text as value_minor
   from stock_levels l
   join products p on p.organization_id = $1 and p.id = l.product_id
   join locations place on place.organization_id = $1 and place.id = l.location_id
   where l.organization_id = $1 and l.product_id > $2::uuid and l.product_id <= $3::uuid and l.on_hand > 0
   order by l.product_id, l.location_id`,
);

/** Sums by currency, with all their digits. */
function totals(): NonNullable<ReportSource['summary']> {
  const sums = new Map<string, { units: bigint; valueMinor: bigint }>();
  return {
    add: (row: FileRow) => {
      const currency = String(row.currency);
      const { units, valueMinor } = sums.get(currency) ?? { units: 0n, valueMinor: 0n };
      sums.set(currency, {
        units: units + BigInt(row.on_hand!),
        valueMinor: valueMinor + (row.value_minor as bigint),
      });
    },
    result: () => ({
      valued_at: 'list_price',
      totals: [...sums]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([currency, { units, valueMinor }]) => ({
          currency,
          units: String(units),
          value_minor: String(valueMinor),
        })),
    }),
  };
}

export const stockValuation = (): ReportSource => ({
  columns: [
    ...['product_id', 'sku', 'name', 'location_id', 'location', 'on_hand', 'available', 'held', 'allocated'],
    ...['unavailable', 'currency', 'unit_value_minor', 'value_minor'],
  ],
  exact: ['value_minor'],
  products: ({ after, upTo }) => rows(after, upTo),
  summary: totals(),
});
