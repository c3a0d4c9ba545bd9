/**
 * What was sold and what came back, by product, period and currency. An order counts in the period in which it happened, as
 * ordered, from `confirmed` on and unless it was cancelled or expired; a return counts in the period in which it happened,
 * whatever became of its order. Charges and discounts are rows without a product, so that the revenue of all rows is the sum
 * of the orders and the refunds that of the returns. No currency is turned into another.
 */
import { tenantRead } from '#libs/database';
import type { SalesRequest } from '../report.shapes';
import type { ReportSource } from '../report-source';

const SOLD = `('confirmed', 'allocated', 'partially_fulfilled', 'fulfilled', 'partially_returned', 'returned')`;

/** SQL: the day at which the period of `time` begins in the time zone $7; $6 is day, week or month. */
const periodOf = (time: string): string => `date_trunc($6::text, ${time} at time zone $7::text)::date`;
const isInside = (time: string): string => `(${time} at time zone $7::text)::date between $4::date and $5::date`;

/** Sums of sold and returned lines, those for which `line` (SQL over l) holds. $2, $3 bound it, $4 to $7 the span. */
const sums = (line: string): string => `
  select product_id, kind, period, currency, sum(sold)::text as quantity, sum(revenue)::text as revenue_minor,
    sum(returned)::text as returned_quantity, sum(refunded)::text as refunded_minor
  from (
    select l.product_id, l.kind, ${periodOf('o.occurred_at')} as period, o.currency,
      l.quantity as sold, l.amount_minor as revenue, 0 as returned, 0 as refunded
    from order_lines l join orders o on o.organization_id = $1 and o.id = l.order_id
    where l.organization_id = $1 and ${line} and o.state in ${SOLD} and ${isInside('o.occurred_at')}
    union all
    select l.product_id, l.kind, ${periodOf('r.occurred_at')}, r.currency, 0, 0, l.quantity, l.amount_minor
    from return_lines l join returns r on r.organization_id = $1 and r.id = l.return_id
    where l.organization_id = $1 and ${line} and ${isInside('r.occurred_at')}) lines
  group by product_id, kind, period, currency`;

const FIGURES = 's.quantity, s.revenue_minor, s.returned_quantity, s.refunded_minor';

const goods = tenantRead(
  'report_sales_goods',
  `select s.period::text as period, p.id as product_id, p.sku, p.name, s.kind, s.currency, ${FIGURES}
   from (${sums('l.product_id > $2::uuid and l.product_id <= $3::uuid')}) s
   join products p on p.organization_id = $1 and p.id = s.product_id
   order by p.id, s.period, s.currency`,
);

/** $2 and $3 are there for the numbers of the others. */
const charges = tenantRead(
  'report_sales_charges',
  `select s.period::text as period, null as product_id, null as sku, null as name, s.kind, s.currency, ${FIGURES}
   from (${sums('l.product_id is null and $2::uuid <= $3::uuid')}) s
   order by s.period, s.kind, s.currency`,
);

const DAY_MS = 86_400_000;
const SHORTEST_DAYS = { day: 1, week: 7, month: 28 } as const;

/** At most so many periods are in a span. */
const periodsIn = ({ from, to, period }: SalesRequest): number =>
  Math.ceil(((Date.parse(to) - Date.parse(from)) / DAY_MS + 1) / SHORTEST_DAYS[period]) + 1;

const FIRST = '00000000-0000-0000-0000-000000000000';

export function sales(request: SalesRequest): ReportSource {
  const { from, to, time_zone = 'UTC', period } = request;
  const span = [from, to, period, time_zone];
  const exact = ['quantity', 'revenue_minor', 'returned_quantity', 'refunded_minor'];
  return {
    columns: ['period', 'product_id', 'sku', 'name', 'kind', 'currency', ...exact],
    exact,
    rowsPerProduct: periodsIn(request),
    products: ({ after, upTo }) => goods(after, upTo, ...span),
    others: charges(FIRST, FIRST, ...span),
  };
}
