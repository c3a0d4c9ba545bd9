/**
 * Stock counts of an import or a sync, as statements for a batch: levels that are missing are made, levels are locked in the
 * order of their key, then each is set to its count and the difference becomes a movement. Lines that cannot be
 * applied are not refused but listed, so that the good lines of a chunk go in.
 */
import { type Statement, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { levelOf, lockLevels, placeOf } from './level.sql';
import { type Origin, ORIGIN_COLUMNS, originOf } from './origin';

export interface StockCount {
  /** Line of the file or number of the row, for the report. */
  readonly line: number;
  readonly sku: string;
  /** Code; null for the default location. */
  readonly location: string | null;
  /** Units on hand, at least 0. */
  readonly quantity: number;
  /** When it was counted, RFC 3339; without it, when its origin says. */
  readonly occurredAt?: string | null;
}

export interface StockCountInput {
  readonly counts: readonly StockCount[];
  readonly origin: Origin & { readonly reference: { readonly type: string; readonly id: string } };
  /**
   * Wraps the SELECT of lines that could not be applied, columns (reference_id uuid, line bigint, sku text,
   * code text, field text, message text), into a statement that keeps them. The name is that of the prepared statement.
   */
  readonly problems: { readonly name: string; readonly wrap: (select: string) => string };
}

/** The last line wins where a product and location stand twice; lines that lead nowhere stay apart. */
const RESOLVED = `
  select distinct on (product, place, apart) line, movement, sku, code, quantity, occurred_at, product, place
  from (
    select found.*, case when found.product is null or found.place is null then found.movement end as apart
    from (
      select l.line, l.movement, l.sku, l.location as code, l.quantity, l.occurred_at, p.id as product, ${placeOf('l.location')} as place
      from jsonb_to_recordset($2::jsonb) as l (line bigint, movement uuid, sku text, location text, quantity bigint, occurred_at timestamptz)
      left join lateral (select p.id from products p where p.organization_id = $1 and p.sku = l.sku limit 1) p on true) found) placed
  order by product, place, apart, line desc`;

const ensure = tenantStatement(
  'stock_count_ensure',
  `with line as materialized (${RESOLVED})
   insert into stock_levels (organization_id, product_id, location_id)
   select $1, product, place from line where product is not null and place is not null
   order by product, place on conflict do nothing`,
);

const lock = tenantStatement(
  'stock_count_lock',
  `with line as materialized (${RESOLVED}) ${lockLevels('select product, place from line')}`,
);

const apply = tenantStatement(
  'stock_count_apply',
  `with line as materialized (${RESOLVED}), change as materialized (
     select line.*, level.tid, line.quantity - level.on_hand as difference from line ${levelOf('line')}
     where line.quantity <> level.on_hand and level.available + line.quantity - level.on_hand >= 0),
   moved as (
     update stock_levels level set available = level.available + change.difference, version = level.version + 1, updated_at = now()
     from change where level.organization_id = $1 and level.ctid = change.tid)
   insert into stock_movements (organization_id, id, product_id, location_id, type, available_change, ${ORIGIN_COLUMNS})
   select $1, movement, product, place, 'count', difference, $3, $4::uuid, $5, coalesce(occurred_at, $6::timestamptz), $7, $8::uuid from change`,
);

const PROBLEMS = `
  select $3::uuid as reference_id, line.line, line.sku, problem.code, problem.field, problem.message
  from (${RESOLVED}) line ${levelOf('line')}
  cross join lateral (values (case
      when line.product is null then 'unknown_product' when line.place is null then 'unknown_location'
      when level.on_hand <> line.quantity then 'count_below_committed' end,
    case when line.product is null then 'sku' when line.place is null then 'location' else 'on_hand' end,
    case when line.product is null then 'No product has this SKU.' when line.place is null then 'No active location has this code.'
      else format('%s units are held, allocated or unavailable; the count may not be lower.', level.on_hand - level.available) end))
    as problem (code, field, message)
  where problem.code is not null`;

export function stockCountStatements(input: StockCountInput): Statement[] {
  const { counts, origin, problems } = input;
  const lines = JSON.stringify(
    counts.map(({ occurredAt, ...count }) => ({ ...count, occurred_at: occurredAt ?? null, movement: newId() })),
  );
  const list = tenantStatement(problems.name, problems.wrap(PROBLEMS));
  return [ensure(lines), lock(lines), apply(lines, ...originOf(origin)), list(lines, origin.reference.id)];
}
