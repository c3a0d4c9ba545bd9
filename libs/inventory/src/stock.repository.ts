/** SQL that reads levels and movements. Lists go by key, with one row more than asked for. */
import { Injectable } from '@nestjs/common';
import { rfc3339, TenantDatabase, tenantRead } from '#libs/database';
import type { Movement, MovementSum, StockLevel } from './stock.schema';

const levels = tenantRead(
  'stock_levels_list',
  `select level.product_id, p.sku, level.location_id, level.on_hand, level.available, level.held, level.allocated,
     level.unavailable, level.incoming, level.low_stock_threshold,
     coalesce(level.available <= level.low_stock_threshold, false) as is_low, level.updated_at
   from stock_levels level join products p on p.organization_id = $1 and p.id = level.product_id
   where level.organization_id = $1 and (level.product_id, level.location_id) > ($2::uuid, $3::uuid)
     and level.product_id = coalesce($5::uuid, (select id from products where organization_id = $1 and sku = $6), level.product_id)
     and ($6::text is null or p.sku = $6) and level.location_id = coalesce($7::uuid, level.location_id)
   order by level.product_id, level.location_id limit $4`,
);

const MOVEMENT_COLUMNS = `id, product_id, location_id, type, reason,
  json_build_object('type', actor_type, 'id', actor_id) as actor,
  case when reference_id is not null then json_build_object('type', reference_type, 'id', reference_id) end as reference,
  ${rfc3339('occurred_at')} as occurred_at, ${rfc3339('recorded_at')} as recorded_at,
  quantity, available_change, held_change, allocated_change, unavailable_change`;

const movements = tenantRead(
  'stock_movements_list',
  `select ${MOVEMENT_COLUMNS} from stock_movements
   where organization_id = $1 and id < $2::uuid and product_id = coalesce($4::uuid, product_id)
     and location_id = coalesce($5::uuid, location_id) and ($6::uuid is null or reference_id = $6)
   order by id desc limit $3`,
);

const sums = tenantRead(
  'stock_movements_sum',
  `with page as materialized (
     select product_id, location_id from stock_levels
     where organization_id = $1 and (product_id, location_id) > ($2::uuid, $3::uuid)
     order by product_id, location_id limit $4)
   select page.product_id, p.sku, page.location_id, count(m.id) as movements, coalesce(sum(m.quantity), 0) as quantity,
     coalesce(sum(m.available_change), 0) as available_change, coalesce(sum(m.held_change), 0) as held_change,
     coalesce(sum(m.allocated_change), 0) as allocated_change, coalesce(sum(m.unavailable_change), 0) as unavailable_change
   from page join products p on p.organization_id = $1 and p.id = page.product_id
   left join stock_movements m on m.organization_id = $1 and m.product_id = page.product_id and m.location_id = page.location_id
   group by page.product_id, p.sku, page.location_id order by page.product_id, page.location_id`,
);

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
    const { productId, sku, locationId } = filter;
    return this.database.statement(levels(after.productId, after.locationId, limit + 1, productId, sku, locationId));
  }

  /** Newest first. */
  movements(before: string, limit: number, filter: MovementFilter): Promise<Movement[]> {
    const { productId, locationId, referenceId } = filter;
    return this.database.statement(movements(before, limit + 1, productId, locationId, referenceId));
  }

  /** Sums of the movements of each level, computed from the movements themselves. */
  sums(after: LevelKey, limit: number): Promise<MovementSum[]> {
    return this.database.statement(sums(after.productId, after.locationId, limit + 1));
  }
}
