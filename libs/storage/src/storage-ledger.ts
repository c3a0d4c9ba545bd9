/**
 * The ledger of a tenant's files: a row in `stored_files` for each file that counts against `max_storage_bytes`. A charge
 * and its check are one flight under the tenant's lock, so files that arrive at once never exceed the limit together; the
 * same flight keeps `bytes_stored` in `tenant_usage`. The ledger follows the store: a process that dies between the two
 * leaves a difference, which `reconcile` ends.
 */
import { Injectable } from '@nestjs/common';
import { type Statement, TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import type { ListedFile } from './file-store';

/** Files under it belong to the platform's operators, such as archives of tenants, and count against nobody. */
const UNCHARGED = 'operations/';
/** A file that is younger may be on its way into the ledger, and a row into the store. */
const SETTLED_MS = 3_600_000;

export interface StorageRoom {
  readonly maximum: number;
  readonly inUse: number;
}

const lock = tenantStatement(
  'storage_lock',
  "select pg_advisory_xact_lock(hashtextextended('storage:' || $1::uuid::text, 0))",
);
const record = tenantStatement(
  'storage_record',
  `insert into stored_files (organization_id, key, bytes) values ($1, $2, $3)
   on conflict (organization_id, key) do update set bytes = excluded.bytes, stored_at = now()`,
);
const remove = tenantStatement(
  'storage_remove',
  'delete from stored_files where organization_id = $1 and key = any ($2::text[])',
);
const IN_USE = '(select coalesce(sum(bytes), 0)::bigint from stored_files where organization_id = $1)';
const check = tenantStatement('storage_check', `select require_tenant_limit($1, 'max_storage_bytes', ${IN_USE})`);
const room = tenantRead(
  'storage_room',
  `select tenant_limit($1, 'max_storage_bytes') as maximum, ${IN_USE} as "inUse"`,
  'primary',
);
const keys = tenantRead(
  'storage_keys',
  'select key, stored_at as "storedAt" from stored_files where organization_id = $1',
  'primary',
);
/** Without files that ever were, no row is made. */
const level = tenantStatement(
  'storage_level',
  `insert into tenant_usage (organization_id, metric, period_start, value)
   select $1, 'bytes_stored', date_trunc('hour', now(), 'UTC'), stored.bytes from (select ${IN_USE} as bytes) stored
   where stored.bytes > 0
     or exists (select from tenant_usage where organization_id = $1 and metric = 'bytes_stored' and value > 0)
   on conflict (organization_id, metric, period_start) do update set value = excluded.value`,
);

@Injectable()
export class StorageLedger {
  constructor(private readonly database: TenantDatabase) {}

  isCharged(key: string): boolean {
    return !key.startsWith(UNCHARGED);
  }

  /** How much the current tenant may store and has stored. */
  async room(): Promise<StorageRoom> {
    const [found] = await this.database.statement<StorageRoom>(room());
    return found!;
  }

  /** Records a file. Throws `limit_exceeded` (403), and records nothing, when all files would be beyond the limit. */
  async charge(key: string, bytes: number): Promise<void> {
    await this.change(record(key, bytes), check());
  }

  async release(key: string): Promise<void> {
    await this.change(remove([key]));
  }

  /**
   * Records what is stored and missing here, whatever the limit; forgets what is here and not stored; and writes the level
   * of this hour. `stat` is asked once more about a file that would be recorded.
   */
  async reconcile(files: AsyncIterable<ListedFile>, stat: (key: string) => Promise<unknown>): Promise<void> {
    const settledBefore = Date.now() - SETTLED_MS;
    const rows = await this.database.statement<{ key: string; storedAt: Date }>(keys());
    const vanished = new Set(rows.filter(({ storedAt }) => storedAt.getTime() < settledBefore).map(({ key }) => key));
    const known = new Set(rows.map(({ key }) => key));
    for await (const { key, bytes, modifiedAt } of files) {
      vanished.delete(key);
      if (!this.isCharged(key) || known.has(key) || modifiedAt.getTime() >= settledBefore) continue;
      if ((await stat(key)) !== undefined) await this.change(record(key, bytes));
    }
    await this.change(remove([...vanished]));
  }

  private async change(...statements: readonly Statement[]): Promise<void> {
    await this.database.batch([lock(), ...statements, level()]);
  }
}
