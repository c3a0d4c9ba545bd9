/** The SQL of `tenant_places`, as `stockyard_control` on the shard where the tenant lives. */
import { Injectable } from '@nestjs/common';
import {
  drainWriters,
  type LimitValues,
  mirrorLimits,
  removeLimits,
  Shards,
  translateDatabaseError,
} from '#libs/database';
import type { Organization, Regions } from '#libs/tenancy';

/** What a place must say while nobody moves the tenant. */
export interface PlaceState {
  readonly id: string;
  readonly shard: string;
  readonly epoch: number;
  readonly tier: Organization['tier'];
  readonly state: 'open' | 'suspended';
}

/** How long writes under way may hold up a suspension that has taken effect for all later ones. */
const DRAIN_TIMEOUT_MS = 2_000;

/**
 * An older epoch never overwrites a newer one, and a move's own states are the move's. A fence gives way to its own epoch: that
 * the directory has it, and still leads here, means that the move behind the fence was taken back or can never flip.
 */
const PUT = `
  insert into tenant_places (tenant, epoch, state, tier) values ($1, $2, $3, $4)
  on conflict (tenant) do update set epoch = excluded.epoch, state = excluded.state, tier = excluded.tier, updated_at = now()
  where tenant_places.epoch <= excluded.epoch and tenant_places.state in ('open', 'suspended', 'fenced')
    and (tenant_places.epoch, tenant_places.state, tenant_places.tier) <> (excluded.epoch, excluded.state, excluded.tier)
  returning xmax = 0 as "isNew"`;
const TAKE_BACK = 'delete from tenant_places where tenant = $1 and epoch = $2 and state = $3';
const REMOVE = 'delete from tenant_places where tenant = $1';
/** The place of an organization as the directory has it. */
export function placeOf({ id, shard, epoch, tier, state }: Organization): PlaceState {
  return { id, shard, epoch, tier, state: state === 'suspended' ? 'suspended' : 'open' };
}

@Injectable()
export class PlaceRepository {
  constructor(private readonly shards: Shards) {}

  /** Throws `unknown_shard` (422) for a name that is not configured, `shard_in_other_region` (422). */
  requireShard(name: string): void {
    this.shards.get(name);
  }

  /** Where an organization may begin that its bucket puts on `shard`: on a shard of this region. */
  forNew(id: string, shard: string): string {
    return this.shards.forNew(id, shard);
  }

  get regions(): Regions {
    return this.shards.regions;
  }

  /** What holds for all statements from now on. Tells whether there was no place before. */
  async put({ id, shard, epoch, tier, state }: PlaceState): Promise<boolean> {
    const done = this.shards.pool(shard, 'control').query<{ isNew: boolean }>(PUT, [id, epoch, state, tier]);
    return (await translated(done)).rows[0]?.isNew ?? false;
  }

  /** Removes the place if it still is the one that was put. */
  async takeBack({ id, shard, epoch, state }: PlaceState): Promise<void> {
    await this.run(shard, TAKE_BACK, [id, epoch, state]);
  }

  /** Resolves when every write that was under way has ended, or gives up on those that take long. */
  async drain(shard: string, id: string): Promise<void> {
    try {
      await this.shards.pool(shard, 'control').transaction((client) => drainWriters(client, id, DRAIN_TIMEOUT_MS));
    } catch {
      // whoever still writes was let in before
    }
  }

  /** Overrides of limits, where they are enforced by the database. */
  mirrorLimits(shard: string, id: string, overrides: LimitValues): Promise<void> {
    return translated(mirrorLimits(this.shards, shard, id, overrides));
  }

  /** Takes back the place of an organization that did not come to be. */
  async remove(shard: string, id: string): Promise<void> {
    await this.run(shard, REMOVE, [id]);
    await translated(removeLimits(this.shards, shard, id));
  }

  private async run(shard: string, sql: string, values: readonly unknown[]): Promise<void> {
    await translated(this.shards.pool(shard, 'control').query(sql, values));
  }
}

async function translated<T>(done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    throw translateDatabaseError(error);
  }
}
