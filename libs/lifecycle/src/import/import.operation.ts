/**
 * Restores a tenant beside the live ones, under the id it had.
 *
 * - `verify`: the whole archive is read and held to its manifest and to this database; nothing is written
 * - `prepare`: the tenant's place on the shard is `arriving`, so nobody can enter; months that are missing are made
 * - `load`: all rows in one transaction, which first clears what an earlier attempt may have left
 * - `files`: the tenant's files
 * - `open`: the place opens, then the directory's row appears: this commit is the import
 * - `clean_up`: the uploaded archive goes
 *
 * Undone, nothing of it remains. It touches a tenant's rows only while the directory does not know the tenant.
 */
import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  deleteRows,
  insertRows,
  inTenantChange,
  ShardConnections,
  type TenantTable,
  tenantTables,
} from '#libs/database';
import { FileStore } from '#libs/storage';
import type { Client } from 'pg';
import { walkArchive } from '../archive/archive-reader';
import { type ArchivedOrganization, archiveKey, type Manifest } from '../archive/manifest';
import { isDirectoryTable } from '../directory/directory-tables';
import { OrganizationRecords } from '../directory/organization-records';
import { putPlace, removePlace, schemaVersion } from '../directory/place';
import type { Facts } from '../operation/operation';
import { OperationHandler, OperationHandlers, type StepContext } from '../operation/operation-handler';
import { organizationExists } from '../operation/operation.error';
import { checkArchive, type Months } from './archive-check';

interface ImportMemory extends Facts {
  readonly shard: string;
  readonly organization: ArchivedOrganization;
  readonly months: Months;
  readonly rows: number;
  readonly files: number;
}

const BATCH = 500;
/** Of the rows of one statement, whose lines are long: characters. */
const BATCH_LENGTH = 4 * 1024 * 1024;
const ALL_ROWS = Number.MAX_SAFE_INTEGER;
const UNBOUNDED = { maxBytes: Number.MAX_SAFE_INTEGER, uncharged: true } as const; // the ledger comes with the archive
/** Making a partition locks its parent: better late than everyone behind it. */
const PARTITION_LOCK_TIMEOUT = "set lock_timeout = '2s'";

@Injectable()
export class ImportOperation extends OperationHandler implements OnModuleInit {
  override readonly kind = 'import';
  override readonly steps = ['verify', 'prepare', 'load', 'files', 'open', 'clean_up'] as const;
  override readonly pointOfNoReturn = 'clean_up';

  constructor(
    private readonly handlers: OperationHandlers,
    private readonly records: OrganizationRecords,
    private readonly shards: ShardConnections,
    private readonly store: FileStore,
  ) {
    super();
  }

  onModuleInit(): void {
    this.handlers.add(this);
  }

  override async runStep(step: string, memory: Facts, context: StepContext): Promise<Facts> {
    if (step === 'verify') return this.verify(context);
    const known = memory as ImportMemory;
    if (step === 'prepare') await this.prepare(known);
    else if (step === 'load') await this.load(known, context);
    else if (step === 'files') await this.restoreFiles(context);
    else if (step === 'open') await this.open(known);
    else await this.store.delete(archiveKey(context.operation.id));
    return known;
  }

  override async rollBack(memory: Facts, { operation: { id, tenant } }: StepContext): Promise<void> {
    const known = memory as Partial<ImportMemory>;
    await this.store.delete(archiveKey(id));
    const present = await this.records.find(tenant);
    if (present && present.epoch !== known.organization?.epoch) return; // not what this import has made
    if (known.shard !== undefined) await this.removeRows(known as ImportMemory);
    await this.store.deleteAll();
  }

  override result(memory: Facts): Facts {
    const { organization, shard, rows, files } = memory as ImportMemory;
    return { organization_id: organization.id, slug: organization.slug, epoch: organization.epoch, shard, rows, files };
  }

  private async removeRows({ shard, organization: { id: tenant, epoch, tier } }: ImportMemory): Promise<void> {
    await this.records.remove(tenant);
    await this.shards.use(shard, 'mover', async (client) => {
      await putPlace(client, { tenant, epoch, tier, state: 'arriving' });
      const tables = await tenantTables(client);
      await inTenantChange(client, tenant, () => clear(client, tenant, tables));
    });
    await this.shards.use(shard, 'control', (client) => removePlace(client, tenant));
  }

  private async verify({ operation: { id, tenant, parameters }, signal }: StepContext): Promise<ImportMemory> {
    const shard = this.shards.forNew(tenant, await this.records.shardForNew(tenant));
    const target = await this.shards.use(shard, 'mover', async (client) => ({
      schema: await schemaVersion(client),
      tables: await tenantTables(client),
    }));
    const { manifest, months } = await checkArchive(
      await this.store.open(archiveKey(id)),
      { ...target, tenant },
      signal,
    );
    const organization = await this.arrival(manifest, parameters.slug as string | undefined);
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
    return { shard, organization, months, rows, files: manifest.files.length };
  }

  /** As what the organization comes back: above every epoch that it ever had, so that no old token is valid. */
  private async arrival({ organization }: Manifest, slug: string | undefined): Promise<ArchivedOrganization> {
    const epoch = Math.max(organization.epoch, await this.records.lastEpoch(organization.id)) + 1;
    const state = organization.state === 'suspended' ? 'suspended' : 'active';
    const region = this.shards.regions.forArrival(organization.region);
    return { ...organization, slug: slug ?? organization.slug, region, epoch, state };
  }

  private async prepare({ shard, organization: { id: tenant, epoch, tier }, months }: ImportMemory): Promise<void> {
    if (await this.records.find(tenant)) throw organizationExists(tenant);
    await this.shards.use(shard, 'mover', async (client) => {
      await putPlace(client, { tenant, epoch, tier, state: 'arriving' });
      await client.query(PARTITION_LOCK_TIMEOUT);
      for (const [table, days] of Object.entries(months))
        for (const day of days) await client.query('select ensure_month($1::regclass, $2::date)', [table, day]);
    });
  }

  private async load({ shard, organization }: ImportMemory, context: StepContext): Promise<void> {
    const { id, tenant } = context.operation;
    if (await this.records.find(tenant)) throw organizationExists(tenant);
    await this.shards.use(shard, 'mover', async (client) => {
      const tables = await tenantTables(client);
      await inTenantChange(client, tenant, async () => {
        await clear(client, tenant, tables);
        let loaded = 0;
        await walkArchive(await this.store.open(archiveKey(id)), {
          table: async ({ name }, rows) => {
            const table = tables.find((known) => known.name === name)!;
            for await (const batch of inBatches(rows)) {
              context.signal.throwIfAborted();
              loaded += await insertRows(client, table, batch);
              context.report({ rows: loaded });
            }
          },
        });
        await mirrorLimits(client, organization, tables);
        await client.query('select continue_outbox($1)', [tenant]); // its next events come after those that came along
      });
    });
  }

  private async restoreFiles({ operation: { id }, signal }: StepContext): Promise<void> {
    await walkArchive(await this.store.open(archiveKey(id)), {
      file: async ({ key }, content) => {
        signal.throwIfAborted();
        await this.store.put(key, content, UNBOUNDED);
      },
    });
  }

  private async open({ shard, organization }: ImportMemory): Promise<void> {
    const { id: tenant, epoch, tier, state } = organization;
    const present = await this.records.find(tenant);
    if (present?.epoch === epoch) return; // committed before this worker's predecessor was lost
    if (present) throw organizationExists(tenant);
    await this.shards.use(shard, 'mover', (client) =>
      putPlace(client, { tenant, epoch, tier, state: state === 'suspended' ? 'suspended' : 'open' }),
    );
    await this.records.insert(organization, shard);
  }
}

async function clear(client: Client, tenant: string, tables: readonly TenantTable[]): Promise<void> {
  for (const table of tables.toReversed()) await deleteRows(client, tenant, table, ALL_ROWS);
}

/** The shard's copy of the overrides that stand in the directory. */
async function mirrorLimits(
  client: Client,
  { id, limits }: ArchivedOrganization,
  tables: readonly TenantTable[],
): Promise<void> {
  const table = tables.find(({ name }) => isDirectoryTable(name));
  if (!table || !limits) return;
  const columns = table.columns.filter(({ name }) => name in limits || name === 'organization_id');
  await insertRows(client, { ...table, columns }, [JSON.stringify({ ...limits, organization_id: id })]);
}

async function* inBatches(rows: AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  let length = 0;
  for await (const row of rows) {
    length += row.length;
    if (batch.push(row) < BATCH && length < BATCH_LENGTH) continue;
    yield batch;
    batch = [];
    length = 0;
  }
  if (batch.length > 0) yield batch;
}
