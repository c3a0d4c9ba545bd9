/** Thresholds of levels. To set one is a change of the level: it crosses, or not, in the same transaction. */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { notFound, TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import { lockLevels } from '../level.sql';
import type { StockThreshold } from './threshold.schema';

const BODY = `
  select product_id, location_id, low_stock_threshold, available, coalesce(available <= low_stock_threshold, false) as is_low,
    threshold_version as version
  from stock_levels where organization_id = $1 and product_id = $2 and location_id = $3`;

const select = tenantRead('threshold_select', BODY);
const selectAfter = tenantStatement('threshold_select_after', BODY);
/** A level that nothing was ever put in has a threshold too. */
const ensure = tenantStatement(
  'threshold_ensure',
  `insert into stock_levels (organization_id, product_id, location_id)
   select $1, p.id, l.id from products p join locations l on l.organization_id = $1 and l.id = $3
   where p.organization_id = $1 and p.id = $2 on conflict do nothing`,
);
const lock = tenantStatement('threshold_lock', lockLevels('select $2::uuid as product, $3::uuid as place'));
/** $5 the version of If-Match, or null. */
const update = tenantStatement(
  'threshold_update',
  `with changed as (
     update stock_levels set low_stock_threshold = $4::bigint, threshold_version = threshold_version + 1
     where organization_id = $1 and product_id = $2 and location_id = $3
       and threshold_version = coalesce($5::integer, threshold_version) returning product_id)
   select case when level.version is null then refuse('not_found', 'not_found', 'There is no such resource.')
     else refuse('version_mismatch', 'precondition_failed', 'The resource has changed since you read it; read it again and repeat the change.',
       'If-Match', jsonb_build_object('current', level.version)) end
   from (select max(threshold_version) as version from stock_levels
     where organization_id = $1 and product_id = $2 and location_id = $3) level
   where not exists (select from changed)`,
);

export interface ThresholdChange {
  readonly productId: string;
  readonly locationId: string;
  /** null: none. */
  readonly threshold: number | null;
  /** Of If-Match; undefined where the client does not care. */
  readonly version: number | undefined;
}

@Injectable()
export class ThresholdService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly audit: AuditService,
  ) {}

  /** Throws `not_found` where there is no level. */
  async get(productId: string, locationId: string): Promise<StockThreshold> {
    const [found] = await this.database.statement<StockThreshold>(select(productId, locationId));
    if (!found) throw notFound();
    return found;
  }

  /** Makes the level where there is none. Throws `not_found` for an unknown product or location, `version_mismatch` (412). */
  async set({ productId, locationId, threshold, version }: ThresholdChange): Promise<StockThreshold> {
    const level = [productId, locationId] as const;
    const entry = { action: 'stock_threshold.set', targetType: 'product', targetId: productId };
    const results = await this.database.batch([
      ensure(...level),
      lock(...level),
      update(...level, threshold, version ?? null),
      this.audit.statement({ ...entry, data: { location_id: locationId, low_stock_threshold: threshold } }),
      selectAfter(...level),
    ]);
    return results[4]!.rows[0] as StockThreshold;
  }
}
