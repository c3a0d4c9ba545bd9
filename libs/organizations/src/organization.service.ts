/**
 * Organizations, as operators see them. A new one becomes visible last: its place on its shard, then its directory row,
 * which claims the slug, then the hook `beforeVisible`, which writes the tenant's own rows in their own transaction, and only
 * then the directory's transaction commits. If the process dies in between, rows remain under an id that no directory
 * names and nobody can reach. If the answer to the commit is lost, the directory's rows are written once more under the same id,
 * which waits for the first transaction and finds its rows, or takes their place.
 *
 * A change of state takes effect with the tenant's place, which follows the directory at once: when suspend() resolves, no
 * write of that tenant is under way in any process, and none begins.
 *
 * A hook runs while a connection of the small control pool is held: it must not look into the directory.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { isUniqueViolation } from '#libs/database';
import { decodeCursor, isUuid, newId, StockyardError } from '#libs/kernel';
import { PlatformEvents } from '#libs/messaging';
import { Directory, type Organization, shardKeyOf, type Tier } from '#libs/tenancy';
import type { PoolClient } from 'pg';
import { notFound, slugReserved, slugTaken, stateLocked, versionMismatch } from './organization.error';
import { type LimitOverrides, type OrganizationFilter, OrganizationRepository } from './organization.repository';
import { PlaceRepository } from './place.repository';
import { PlaceUpkeep } from './place-upkeep';

export interface NewOrganization {
  readonly slug: string;
  readonly name: string;
  readonly tier?: Tier | undefined;
  readonly region?: string | undefined;
  readonly limits?: LimitOverrides | undefined;
  /** Pins it to a shard. Default: its bucket decides. */
  readonly shard?: string | undefined;
}

/** Where a hook writes the tenant's rows: for the context that it enters. */
export interface PlaceForHook {
  readonly shard: string;
  readonly epoch: number;
}

export interface OrganizationPatch {
  readonly name?: string | undefined;
  readonly tier?: Tier | undefined;
  readonly state?: 'active' | 'suspended' | undefined;
}

export interface OrganizationUpdate<T> {
  readonly id: string;
  readonly change: T;
  /** The version that the caller has read; undefined overwrites whatever is there. */
  readonly expectedVersion: number | undefined;
  /** Runs before the change commits, such as to write the audit log: no change without its entry. */
  readonly beforeCommit: (organization: Organization, place: PlaceForHook) => Promise<void>;
}

export interface OrganizationQuery extends OrganizationFilter {
  readonly cursor?: string;
  readonly limit: number;
}

/** How long it is tried to learn what became of a commit whose answer was lost. */
const COMMIT_PATIENCE_MS = 5_000;
const COMMIT_PAUSE_MS = 100;

/** An organization in the making, whose place stands. */
interface Placed {
  readonly id: string;
  readonly shard: string;
  readonly region: string;
  readonly input: NewOrganization;
  readonly beforeVisible: (organization: Organization, place: PlaceForHook) => Promise<void>;
}

@Injectable()
export class OrganizationService {
  constructor(
    private readonly repository: OrganizationRepository,
    private readonly directory: Directory,
    private readonly events: PlatformEvents,
    private readonly places: PlaceRepository,
    private readonly upkeep: PlaceUpkeep,
  ) {}

  /** Throws `slug_taken` or `slug_reserved` (409), `wrong_region` (421), `unknown_region`, `unknown_shard`, `shard_in_other_region` (422). */
  async create(
    input: NewOrganization,
    beforeVisible: (organization: Organization, place: PlaceForHook) => Promise<void>,
  ): Promise<Organization> {
    const { slug, tier = 'free' } = input;
    // The directory finds organizations by id and by slug: one may not look like another's id.
    if (isUuid(slug)) throw slugReserved();
    const region = this.places.regions.forNew(input.region);
    const id = newId();
    const shard = input.shard ?? this.places.forNew(id, await this.repository.shardOf(shardKeyOf(id)));
    this.places.requireShard(shard);
    await this.places.put({ id, shard, epoch: 1, tier, state: 'open' });
    const created = await this.makeVisible({ id, shard, region, input, beforeVisible });
    this.announce(id);
    return created;
  }

  private async makeVisible(placed: Placed): Promise<Organization> {
    let isWritten = false as boolean; // the hook sets it
    const beforeVisible: Placed['beforeVisible'] = async (...made) => {
      await placed.beforeVisible(...made);
      isWritten = true;
    };
    try {
      return await this.insert({ ...placed, beforeVisible });
    } catch (error) {
      if (isWritten) return this.insertAgain(placed, error);
      return this.undo(placed, error);
    }
  }

  /** The transaction failed with everything in it done: it may have been committed. */
  private async insertAgain(placed: Placed, lost: unknown): Promise<Organization> {
    const until = performance.now() + COMMIT_PATIENCE_MS;
    for (;;) {
      try {
        return await this.inserted(placed);
      } catch (error) {
        if (!isUnavailable(error)) return this.undo(placed, error);
        if (performance.now() > until) throw lost; // the place stays, since there may be an organization
      }
      await delay(COMMIT_PAUSE_MS);
    }
  }

  private async inserted(placed: Placed): Promise<Organization> {
    try {
      return await this.insert({ ...placed, beforeVisible: () => Promise.resolve() });
    } catch (error) {
      if (isUniqueViolation(error, 'organizations_pkey')) return this.get(placed.id);
      throw error;
    }
  }

  private async undo({ id, shard }: Placed, error: unknown): Promise<never> {
    await this.places.remove(shard, id).catch(() => undefined); // unreachable without its directory row
    throw isUniqueViolation(error, 'organizations_slug_key') ? slugTaken() : error;
  }

  private insert({ id, shard, region, input, beforeVisible }: Placed): Promise<Organization> {
    const { slug, name, tier = 'free', limits } = input;
    return this.repository.transaction(async (client) => {
      // Pinned where asked for, where its bucket is a shard of another region, and where that was given away since its place was made.
      const bucketShard = await this.repository.holdBucket(client, shardKeyOf(id));
      const pin = input.shard !== undefined || bucketShard !== shard ? shard : null;
      await this.repository.insert(client, { id, slug, name, tier, region, shard: pin });
      const overrides = limits && (await this.repository.putLimits(client, id, limits));
      const organization = (await this.repository.read(client, id))!;
      const { epoch } = organization;
      if (overrides) await this.places.mirrorLimits(shard, id, overrides);
      await beforeVisible(organization, { shard, epoch });
      return organization;
    });
  }

  /** A page of organizations, oldest first, and one more where there are more. */
  list({ cursor, limit, ...filter }: OrganizationQuery): Promise<Organization[]> {
    const after = cursor === undefined ? null : decodeCursor(cursor, [isUuid])[0]!;
    return this.repository.page(filter, after, limit + 1);
  }

  async get(id: string): Promise<Organization> {
    const organization = await this.repository.find(id);
    if (!organization) throw notFound();
    return organization;
  }

  /** Changes name, tier or state. A change of state raises the epoch. */
  update(update: OrganizationUpdate<OrganizationPatch>): Promise<Organization> {
    return this.change(update, async (client, present) => {
      const { name = present.name, tier = present.tier, state = present.state } = update.change;
      const resumable = present.state === 'active' || present.state === 'suspended';
      if (state !== present.state && !resumable) throw stateLocked(present.state);
      await this.repository.update(client, present.id, {
        name,
        tier,
        state,
        epochStep: state === present.state ? 0 : 1,
      });
    });
  }

  /** Sets, keeps or takes back overrides of the tier's limits. */
  putLimits(update: OrganizationUpdate<LimitOverrides>): Promise<Organization> {
    return this.change(update, async (client, { id, name, tier, state, shard }) => {
      const overrides = await this.repository.putLimits(client, id, update.change);
      await this.places.mirrorLimits(shard, id, overrides);
      await this.repository.update(client, id, { name, tier, state, epochStep: 0 });
    });
  }

  private async change<T>(
    { id, expectedVersion, beforeCommit }: OrganizationUpdate<T>,
    apply: (client: PoolClient, present: Organization) => Promise<void>,
  ): Promise<Organization> {
    await this.alignPlace(id);
    const changed = await this.repository.transaction(async (client) => {
      const present = await this.repository.lock(client, id);
      if (!present) throw notFound();
      this.places.regions.requireServed(present);
      if (expectedVersion !== undefined && expectedVersion !== present.version) throw versionMismatch(present.version);
      await apply(client, present);
      const organization = (await this.repository.read(client, id))!;
      await beforeCommit(organization, { shard: present.shard, epoch: present.epoch });
      return organization;
    });
    try {
      await this.upkeep.align(changed);
      if (changed.state === 'suspended') await this.places.drain(changed.shard, id);
    } finally {
      this.announce(id);
    }
    return changed;
  }

  /**
   * Writes of a hook are refused by a place that is behind, after a shard was away. Not while the transaction holds one of the
   * few connections: each of as many changes at once would wait for a second one.
   */
  private async alignPlace(id: string): Promise<void> {
    const present = await this.repository.find(id);
    if (!present) return;
    this.places.regions.requireServed(present);
    await this.upkeep.align(present);
  }

  private announce(id: string): void {
    this.directory.forget(id);
    this.events.publish('organization.changed', { organization_id: id });
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof StockyardError && error.category === 'unavailable';
}
