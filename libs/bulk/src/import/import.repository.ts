/** SQL of imports. */
import { Injectable } from '@nestjs/common';
import { TenantDatabase, tenantRead } from '#libs/database';

const knownProducts = tenantRead(
  'import_known_products',
  'select sku, currency from products where organization_id = $1 and sku = any ($2::text[])',
);

/**
 * Keeps the lines whose count could not be applied as line errors of the job, and counts them there, in the statement
 * that finds them: report and stock commit together.
 */
export const COUNT_PROBLEMS = {
  name: 'import_count_problems',
  wrap: (select: string): string => `
    with problem as materialized (${select}),
    kept as (
      insert into job_line_errors (organization_id, job_id, line, code, field, message)
      select $1, reference_id, line, code, field, message from problem on conflict do nothing returning job_id)
    update jobs set failed = failed + (select count(*) from kept)
    where organization_id = $1 and id = (select job_id from kept limit 1) returning failed`,
} as const;

@Injectable()
export class ImportRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** The SKUs that exist, with their currency. Products are never deleted, so what is known stays known. */
  async knownProducts(skus: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.database.statement<{ sku: string; currency: string }>(knownProducts(skus));
    return new Map(rows.map(({ sku, currency }) => [sku, currency]));
  }
}
