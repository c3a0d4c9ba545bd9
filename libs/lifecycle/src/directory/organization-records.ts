/** The directory's rows of one organization, as stockyard_control on the home shard: read, restored, removed. */
import { Inject, Injectable } from '@nestjs/common';
import {
  CONTROL_POOL,
  isUniqueViolation,
  LIMIT_COLUMNS,
  LIMIT_NAMES,
  type LimitValues,
  type PrimaryPool,
  putLimits,
  translateDatabaseError,
} from '#libs/database';
import { PlatformEvents } from '#libs/messaging';
import { Directory } from '#libs/tenancy';
import type { MoveDirectory, PresentEntry } from '#libs/tenant-move';
import type { ArchivedOrganization } from '../archive/manifest';
import { organizationExists, organizationNotFound, slugTaken } from '../operation/operation.error';

export interface OrganizationRecord extends ArchivedOrganization {
  /** Where its rows are. */
  readonly shard: string;
}

const FIND = `
  select o.id, o.slug, o.name, o.tier, o.region, o.state, o.epoch, o.version, o.created_at::text,
    to_jsonb(l) - 'organization_id' - 'updated_at' as limits, coalesce(o.shard, b.shard) as shard
  from organizations o join shard_buckets b on b.bucket = o.shard_key
  left join tenant_limits l on l.organization_id = o.id where o.id = $1`;
const BUCKET_SHARD = 'select shard from shard_buckets where bucket = calculate_shard_key($1)';
const LAST_EPOCH = `
  select max((result ->> 'epoch')::int) as epoch from tenant_operations
  where tenant = $1 and kind = 'delete' and state = 'completed'`;
const MARK_DELETING = `
  update organizations set state = 'deleting', epoch = epoch + 1, version = version + 1, updated_at = now()
  where id = $1 and state <> 'deleting'`;
const INSERT = `
  insert into organizations (id, slug, name, tier, region, state, epoch, version, created_at, shard)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
    nullif($10, (select shard from shard_buckets where bucket = calculate_shard_key($1) for share)))`;
const PLACEMENT = `
  select coalesce(o.shard, b.shard) as shard, o.epoch, o.state in ('suspended', 'deleting') as suspended
  from organizations o join shard_buckets b on b.bucket = o.shard_key where o.id = $1`;
/** Pinned where its bucket is another shard's; the lock keeps the bucket from being given away meanwhile. One statement, ended by the pool's own limit where the server is silent. */
const REPLACE = `
  update organizations o set epoch = $4, version = version + 1, updated_at = now(),
    shard = nullif($3, (select b.shard from shard_buckets b where b.bucket = o.shard_key for share))
  where id = $1 and epoch = $2`;

@Injectable()
export class OrganizationRecords {
  constructor(
    @Inject(CONTROL_POOL) private readonly pool: PrimaryPool,
    private readonly directory: Directory,
    private readonly events: PlatformEvents,
  ) {}

  async find(id: string): Promise<OrganizationRecord | undefined> {
    return (await this.query<OrganizationRecord>(FIND, [id])).rows[0];
  }

  async isSlugTaken(slug: string): Promise<boolean> {
    return (await this.query('select from organizations where slug = $1', [slug])).rowCount === 1;
  }

  /** The shard of the bucket that an id falls into. */
  async shardForNew(id: string): Promise<string> {
    return (await this.query<{ shard: string }>(BUCKET_SHARD, [id])).rows[0]!.shard;
  }

  /** The epoch at which an organization of this id was deleted; 0 where none was. */
  async lastEpoch(id: string): Promise<number> {
    return (await this.query<{ epoch: number | null }>(LAST_EPOCH, [id])).rows[0]?.epoch ?? 0;
  }

  /** Every process refuses the organization from now on. */
  async markDeleting(id: string): Promise<void> {
    await this.query(MARK_DELETING, [id]);
    this.announce(id);
  }

  /** Makes an organization known that lives on `shard`: pinned there where its bucket is another one's. Throws `slug_taken` or `organization_exists` (409). */
  async insert(organization: ArchivedOrganization, shard: string): Promise<void> {
    const { id, slug, name, tier, region, state, epoch, version, created_at, limits } = organization;
    try {
      await this.pool.transaction(async (client) => {
        await client.query(INSERT, [id, slug, name, tier, region, state, epoch, version, created_at, shard]);
        if (limits) await putLimits(client, id, byName(limits));
      });
    } catch (error) {
      if (isUniqueViolation(error, 'organizations_slug_key')) throw slugTaken(slug);
      if (isUniqueViolation(error, 'organizations_pkey')) throw organizationExists(id);
      throw error;
    }
    this.announce(id);
  }

  /** Nobody knows the organization any more. Resolves with the number of rows. */
  async remove(id: string): Promise<number> {
    const removed = await this.pool.transaction(async (client) => {
      const limits = await client.query('delete from tenant_limits where organization_id = $1', [id]);
      const organization = await client.query('delete from organizations where id = $1', [id]);
      return (limits.rowCount ?? 0) + (organization.rowCount ?? 0);
    });
    this.announce(id);
    return removed;
  }

  /** Where the organization lives, for a move to read and to replace. */
  placement(id: string): MoveDirectory {
    return {
      read: async () => {
        const { rows } = await this.query<PresentEntry>(PLACEMENT, [id]);
        if (!rows[0]) throw organizationNotFound();
        return rows[0];
      },
      replace: async (expectedEpoch, { shard, epoch }) =>
        (await this.query(REPLACE, [id, expectedEpoch, shard, epoch])).rowCount === 1,
    };
  }

  /** Every process forgets what it knows of the organization. */
  announce(id: string): void {
    this.directory.forget(id);
    this.events.publish('organization.changed', { organization_id: id });
  }

  private async query<Row extends object>(sql: string, values: readonly unknown[]) {
    try {
      return await this.pool.query<Row>(sql, [...values]);
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }
}

/** An archive names them by column, and may lack those that came later. */
function byName(limits: NonNullable<ArchivedOrganization['limits']>): LimitValues {
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, limits[LIMIT_COLUMNS[name]] ?? null])) as LimitValues;
}
