/** SQL of products. */
import { Injectable } from '@nestjs/common';
import { isUniqueViolation, rfc3339, TenantDatabase, tenantRead, tenantStatement, updatedRow } from '#libs/database';
import { newId, type ShapeType, StockyardError } from '#libs/kernel';
import type { CREATE_PRODUCT, Product, UPDATE_PRODUCT } from './product.schema';

const COLUMNS = `id, sku, name, description, state, price_minor, currency, version,
  ${rfc3339('created_at')} as created_at, ${rfc3339('updated_at')} as updated_at`;

const insert = tenantStatement(
  'product_insert',
  `insert into products (organization_id, id, sku, name, description, price_minor, currency)
   values ($1, $2, $3, $4, $5, $6, $7) returning ${COLUMNS}`,
);
const select = tenantRead(
  'product_select',
  `select ${COLUMNS} from products where organization_id = $1 and id = $2`,
  'primary',
);
const list = tenantRead(
  'product_list',
  `select ${COLUMNS} from products where organization_id = $1 and id > $2 order by id limit $3`,
);
const listBySku = tenantRead(
  'product_list_by_sku',
  `select ${COLUMNS} from products where organization_id = $1 and sku = $2`,
);
const update = tenantStatement(
  'product_update',
  `update products set
     sku = coalesce($4::jsonb->>'sku', sku), name = coalesce($4::jsonb->>'name', name),
     description = case when $4::jsonb ? 'description' then $4::jsonb->>'description' else description end,
     price_minor = coalesce(($4::jsonb->>'price_minor')::bigint, price_minor),
     currency = coalesce($4::jsonb->>'currency', currency), state = coalesce($4::jsonb->>'state', state),
     version = version + 1, updated_at = now()
   where organization_id = $1 and id = $2 and version = coalesce($3::integer, version) returning ${COLUMNS}`,
);
const probe = tenantStatement('product_probe', 'select version from products where organization_id = $1 and id = $2');

function skuTaken(error: unknown): unknown {
  if (!isUniqueViolation(error, 'products_organization_id_sku_key')) return error;
  return new StockyardError({
    code: 'sku_taken',
    category: 'conflict',
    param: 'sku',
    message: 'Another product has this SKU; choose another one or change that product.',
    cause: error,
  });
}

@Injectable()
export class ProductRepository {
  constructor(private readonly database: TenantDatabase) {}

  async insert(product: ShapeType<typeof CREATE_PRODUCT>): Promise<Product> {
    const { sku, name, description = null, price_minor = 0, currency } = product;
    try {
      const rows = await this.database.statement<Product>(
        insert(newId(), sku, name, description, price_minor, currency),
      );
      return rows[0]!;
    } catch (error) {
      throw skuTaken(error);
    }
  }

  async find(id: string): Promise<Product | undefined> {
    const [row] = await this.database.statement<Product>(select(id));
    return row;
  }

  /** Up to limit + 1 products with an id greater than `after`. */
  list(after: string, limit: number): Promise<Product[]> {
    return this.database.statement<Product>(list(after, limit + 1));
  }

  findBySku(sku: string): Promise<Product[]> {
    return this.database.statement<Product>(listBySku(sku));
  }

  async update(id: string, version: number | undefined, change: ShapeType<typeof UPDATE_PRODUCT>): Promise<Product> {
    try {
      const [updated, found] = await this.database.batch([
        update(id, version ?? null, JSON.stringify(change)),
        probe(id),
      ]);
      return updatedRow<Product>(updated!, found!);
    } catch (error) {
      throw skuTaken(error);
    }
  }
}
