/** SQL of imports. */
import { Injectable } from '@nestjs/common';
import { TenantDatabase, tenantRead } from '#libs/database';
import { keptLineErrors } from '#libs/queues';

const knownProducts = tenantRead(
  'import_known_products',
  'select sku, currency from products where organization_id = $1 and sku = any ($2::text[])',
);

/** Keeps the lines whose count could not be applied as line errors of the job. */
export const COUNT_PROBLEMS = {
  name: 'import_count_problems',
  wrap: (select: string): string =>
    keptLineErrors(`select reference_id as job_id, line, code, field, message from (${select}) found`),
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
