/** Products, read through the tenant's cache. */
import { Injectable } from '@nestjs/common';
import { defineNamespace, TenantCache } from '#libs/cache';
import { notFound } from '#libs/database';
import { decodeCursor, isUuid, type ShapeType } from '#libs/kernel';
import { ProductRepository } from './product.repository';
import { type CREATE_PRODUCT, PRODUCT, type Product, type UPDATE_PRODUCT } from './product.schema';

const FIRST = '00000000-0000-0000-0000-000000000000';

const CACHED = defineNamespace<Product>({ name: 'catalog.product', ttlMs: 60_000, shape: PRODUCT });

@Injectable()
export class ProductService {
  constructor(
    private readonly products: ProductRepository,
    private readonly cache: TenantCache,
  ) {}

  create(product: ShapeType<typeof CREATE_PRODUCT>): Promise<Product> {
    return this.products.insert(product);
  }

  /** From the cache: another process's change shows at the latest after a second. */
  async get(id: string): Promise<Product> {
    const product = await this.cache.get(CACHED, id, () => this.products.find(id));
    if (!product) throw notFound();
    return product;
  }

  /** Up to limit + 1 products in order of id; with `sku`, the one that has it. */
  list(query: { limit: number; cursor?: string; sku?: string }): Promise<Product[]> {
    if (query.sku !== undefined) return this.products.findBySku(query.sku);
    const [after] = query.cursor === undefined ? [FIRST] : decodeCursor(query.cursor, [isUuid]);
    return this.products.list(after!, query.limit);
  }

  async update(id: string, version: number | undefined, change: ShapeType<typeof UPDATE_PRODUCT>): Promise<Product> {
    const product = await this.products.update(id, version, change);
    await this.cache.invalidate(CACHED, id);
    return product;
  }

  /** To be called after a commit that changed many products at once, as an import does. */
  forgetAll(): Promise<void> {
    return this.cache.invalidate(CACHED);
  }
}
