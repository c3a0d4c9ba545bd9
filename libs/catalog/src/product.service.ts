/** Products: rules and caching. */
import { Injectable } from '@nestjs/common';
import { decodeCursor, isUuid, type ShapeType } from '#libs/kernel';
import { ProductRepository } from './product.repository';
import type { CREATE_PRODUCT, Product, UPDATE_PRODUCT } from './product.schema';

const FIRST = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class ProductService {
  constructor(private readonly products: ProductRepository) {}

  create(product: ShapeType<typeof CREATE_PRODUCT>): Promise<Product> {
    return this.products.insert(product);
  }

  get(id: string): Promise<Product> {
    return this.products.get(id);
  }

  /** Up to limit + 1 products in order of id; with `sku`, the one that has it. */
  list(query: { limit: number; cursor?: string; sku?: string }): Promise<Product[]> {
    if (query.sku !== undefined) return this.products.findBySku(query.sku);
    const [after] = query.cursor === undefined ? [FIRST] : decodeCursor(query.cursor, [isUuid]);
    return this.products.list(after!, query.limit);
  }

  update(id: string, version: number | undefined, change: ShapeType<typeof UPDATE_PRODUCT>): Promise<Product> {
    return this.products.update(id, version, change);
  }
}
