/** Products as an import gives them: new ones are inserted, known ones changed in the fields that are given. */
import { newId } from '#libs/kernel';
import { type Statement, tenantStatement } from '#libs/database';

export interface ProductUpsert {
  readonly sku: string;
  /** null: unchanged; for a new product the SKU serves as its name. */
  readonly name: string | null;
  readonly description: string | null;
  readonly priceMinor: number | null;
  /** null: unchanged; required for a new product. */
  readonly currency: string | null;
}

const upsert = tenantStatement(
  'product_upsert',
  `insert into products as p (organization_id, id, sku, name, description, price_minor, currency)
   select $1, r.id, r.sku, coalesce(r.name, known.name, r.sku), r.description, coalesce(r.price_minor, known.price_minor, 0),
     coalesce(r.currency, known.currency)
   from jsonb_to_recordset($2::jsonb) as r (id uuid, sku text, name text, description text, price_minor bigint, currency text)
   left join products known on known.organization_id = $1 and known.sku = r.sku
   where coalesce(r.currency, known.currency) is not null
   order by r.sku
   on conflict (organization_id, sku) do update set
     name = excluded.name, description = coalesce(excluded.description, p.description),
     price_minor = excluded.price_minor, currency = excluded.currency, version = p.version + 1, updated_at = now()
   where (p.name, p.price_minor, p.currency) is distinct from (excluded.name, excluded.price_minor, excluded.currency)
     or (excluded.description is not null and excluded.description is distinct from p.description)`,
);

/**
 * One statement for many rows; each SKU at most once. A new product without a currency is left out: check that
 * before, or look for the SKU afterwards.
 */
export function productUpsertStatement(rows: readonly ProductUpsert[]): Statement {
  return upsert(
    JSON.stringify(
      rows.map((row) => ({
        id: newId(),
        sku: row.sku,
        name: row.name,
        description: row.description,
        price_minor: row.priceMinor,
        currency: row.currency,
      })),
    ),
  );
}
