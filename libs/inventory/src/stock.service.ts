/** Reads of levels and movements. */
import { Injectable } from '@nestjs/common';
import { decodeCursor, isUuid, type ShapeType } from '#libs/kernel';
import type { LEVEL_QUERY, Movement, MOVEMENT_QUERY, MovementSum, StockLevel } from './stock.schema';
import { type LevelKey, StockRepository } from './stock.repository';

const FIRST = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

function levelKey(cursor: string | undefined): LevelKey {
  const [productId, locationId] = cursor === undefined ? [FIRST, FIRST] : decodeCursor(cursor, [isUuid, isUuid]);
  return { productId: productId!, locationId: locationId! };
}

@Injectable()
export class StockService {
  constructor(private readonly stock: StockRepository) {}

  levels(query: ShapeType<typeof LEVEL_QUERY>): Promise<StockLevel[]> {
    return this.stock.levels(levelKey(query.cursor), query.limit, {
      productId: query.product_id ?? null,
      sku: query.sku ?? null,
      locationId: query.location_id ?? null,
    });
  }

  movements(query: ShapeType<typeof MOVEMENT_QUERY>): Promise<Movement[]> {
    const [before] = query.cursor === undefined ? [LAST] : decodeCursor(query.cursor, [isUuid]);
    return this.stock.movements(before!, query.limit, {
      productId: query.product_id ?? null,
      locationId: query.location_id ?? null,
      referenceId: query.reference_id ?? null,
    });
  }

  movementSums(query: { limit: number; cursor?: string }): Promise<MovementSum[]> {
    return this.stock.sums(levelKey(query.cursor), query.limit);
  }
}
