/** Reads levels and movements. */
import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '#libs/database';
import type { Movement, MovementSum, StockLevel } from './stock.schema';
import { listLevels, listMovements, sumMovements } from './stock.statements';

export interface LevelFilter {
  readonly productId: string | null;
  readonly sku: string | null;
  readonly locationId: string | null;
}

export interface MovementFilter {
  readonly productId: string | null;
  readonly locationId: string | null;
  readonly referenceId: string | null;
}

/** Key of the last row of a page of levels. */
export interface LevelKey {
  readonly productId: string;
  readonly locationId: string;
}

@Injectable()
export class StockRepository {
  constructor(private readonly database: TenantDatabase) {}

  levels(after: LevelKey, limit: number, filter: LevelFilter): Promise<StockLevel[]> {
    const { productId: product, sku, locationId: location } = filter;
    const page = listLevels([after.productId, after.locationId, limit + 1], { product, sku, location });
    return this.database.statement(page);
  }

  /** Newest first. */
  movements(before: string, limit: number, filter: MovementFilter): Promise<Movement[]> {
    const { productId: product, locationId: location, referenceId: reference } = filter;
    return this.database.statement(listMovements([before, limit + 1], { product, location, reference }));
  }

  /** Sums of the movements of each level, computed from the movements themselves. */
  sums(after: LevelKey, limit: number): Promise<MovementSum[]> {
    return this.database.statement(sumMovements(after.productId, after.locationId, limit + 1));
  }
}
