/** The SQL of the control tables, as `stockyard_control`: the only role that may write the directory. */
import { Inject, Injectable } from '@nestjs/common';
import {
  CONTROL_POOL,
  LIMIT_NAMES,
  type LimitValues,
  type OrganizationRow,
  overridesOf,
  type PrimaryPool,
  putLimits,
  SELECT_ORGANIZATION,
  toOrganization,
  translateDatabaseError,
} from '#libs/database';
import type { LimitName, Organization, OrganizationState, Tier } from '#libs/tenancy';
import type { PoolClient, QueryResultRow } from 'pg';

/** A number overrides the tier's limit, null goes back to it, an absent one stays as it is. */
export type LimitOverrides = Partial<Record<LimitName, number | null | undefined>>;

export interface OrganizationFilter {
  readonly slug?: string | undefined;
  readonly state?: OrganizationState | undefined;
}

/** The columns of a new organization. */
export interface OrganizationInsert {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly tier: Tier;
  readonly region: string;
  /** Pins it to a shard; null lets its bucket decide. */
  readonly shard: string | null;
}

export interface OrganizationColumns {
  readonly name: string;
  readonly tier: Tier;
  readonly state: OrganizationState;
  /** How much the epoch rises: 1 with a change of state. */
  readonly epochStep: 0 | 1;
}

const INSERT = 'insert into organizations (id, slug, name, tier, region, shard) values ($1, $2, $3, $4, $5, $6)';
const SHARD_OF_BUCKET = 'select shard from shard_buckets where bucket = $1';
/** Until the transaction ends the bucket cannot be given to another shard behind its back. */
const HOLD_BUCKET = `${SHARD_OF_BUCKET} for share`;
const UPDATE = `
  update organizations set name = $2, tier = $3, state = $4, epoch = epoch + $5, version = version + 1, updated_at = now()
  where id = $1`;
const PAGE = `${SELECT_ORGANIZATION}
  where ($1::uuid is null or o.id > $1::uuid) and ($2::text is null or o.slug = $2) and ($3::text is null or o.state = $3)
  order by o.id limit $4`;

/** The control pool, or one connection of it. */
interface Queryable {
  query<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<{ rows: Row[] }>;
}

@Injectable()
export class OrganizationRepository {
  constructor(@Inject(CONTROL_POOL) private readonly pool: PrimaryPool) {}

  /** Up to `count` organizations after `after`, oldest first. */
  async page(filter: OrganizationFilter, after: string | null, count: number): Promise<Organization[]> {
    return this.select(this.pool, PAGE, [after, filter.slug ?? null, filter.state ?? null, count]);
  }

  find(id: string): Promise<Organization | undefined> {
    return this.read(this.pool, id);
  }

  async read(client: Queryable, id: string): Promise<Organization | undefined> {
    const [organization] = await this.select(client, `${SELECT_ORGANIZATION} where o.id = $1`, [id]);
    return organization;
  }

  /** Serializes changes of one organization until the transaction ends. */
  async lock(client: PoolClient, id: string): Promise<Organization | undefined> {
    await client.query('select from organizations where id = $1 for update', [id]);
    return this.read(client, id);
  }

  async insert(client: PoolClient, organization: OrganizationInsert): Promise<void> {
    const { id, slug, name, tier, region, shard } = organization;
    await client.query(INSERT, [id, slug, name, tier, region, shard]);
  }

  async update(client: PoolClient, id: string, columns: OrganizationColumns): Promise<void> {
    await client.query(UPDATE, [id, columns.name, columns.tier, columns.state, columns.epochStep]);
  }

  /** Lays overrides over those that are there. The organization's row is locked or new. Resolves with all in force. */
  async putLimits(client: PoolClient, id: string, overrides: LimitOverrides): Promise<LimitValues> {
    const present = await this.overrides(client, id);
    const next = Object.fromEntries(
      LIMIT_NAMES.map((name) => [name, overrides[name] === undefined ? present[name] : overrides[name]]),
    ) as LimitValues;
    await putLimits(client, id, next);
    return next;
  }

  /** The shard of a bucket, which stays its shard until the transaction ends. */
  async holdBucket(client: PoolClient, shardKey: number): Promise<string> {
    const { rows } = await client.query<{ shard: string }>(HOLD_BUCKET, [shardKey]);
    return rows[0]!.shard;
  }

  /** The shard of a bucket. */
  async shardOf(shardKey: number): Promise<string> {
    const { rows } = await this.pool.query<{ shard: string }>(SHARD_OF_BUCKET, [shardKey]);
    return rows[0]!.shard;
  }

  private async overrides(client: PoolClient, id: string): Promise<LimitValues> {
    const { rows } = await client.query<OrganizationRow>(`${SELECT_ORGANIZATION} where o.id = $1`, [id]);
    return overridesOf(rows[0]!);
  }

  /** One transaction of the control role. */
  transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.pool.transaction(work);
  }

  private async select(client: Queryable, sql: string, values: readonly unknown[]): Promise<Organization[]> {
    try {
      const { rows } = await client.query<OrganizationRow>(sql, [...values]);
      return rows.map(toOrganization);
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }
}
