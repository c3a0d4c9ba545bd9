/**
 * Finds the tenant's place, and does what must be done when the place does not let a statement in. A refused entry has
 * executed nothing, so it may be repeated: at once with a newer directory entry, or in a moment where a move is about to end.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Optional } from '@nestjs/common';
import {
  Directory,
  type LocatedOrganization,
  organizationSuspended,
  type ReleaseSlot,
  type TenantContext,
  TenantContextHolder,
  TenantShare,
} from '#libs/tenancy';
import {
  type EntryRefusal,
  entryRefusal,
  isRetryable,
  organizationUnknown,
  shardUnavailable,
  tenantMoving,
} from '../database.error';
import { isPlanLost } from '../lanes/flight';
import { Shards } from '../shards/shards.service';
import { WallGuard } from '../wall/wall-guard.service';
import { LaneWatch } from './lane-watch';
import type { Place } from './place';

/** Longest wait of a request for a fence to go away; a move keeps writes out for a second at most. */
const PATIENCE_MS = 3_000;
const PAUSE_MS = 20;

/** Tries of what was rolled back, the first one included. */
const ATTEMPTS = 4;

const NOTHING: ReleaseSlot = () => undefined;

@Injectable()
export class TenantEntrance {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly directory: Directory,
    private readonly shards: Shards,
    private readonly wall: WallGuard,
    private readonly watch: LaneWatch,
    @Optional() @Inject(TenantShare) private readonly share: TenantShare | null,
  ) {}

  /** Throws `organization_unknown` (404) where the directory has no such organization, `wrong_region` (421) for one of another region. */
  place(): Place | Promise<Place> {
    const context = this.tenant.current();
    const { organizationId, place, actor } = context;
    if (place) {
      const isOperators = actor.type === 'operator';
      const shard = this.shards.get(place.shard);
      return {
        organizationId,
        charged: context,
        shard,
        epoch: place.epoch,
        fresh: true,
        isOperators,
        limits: undefined,
      };
    }
    const located = this.directory.locate(organizationId);
    if (!(located instanceof Promise)) return this.placed(located, context);
    return located.then((found) => this.placed(found, context));
  }

  /** One of the tenant's own connections; without limits (an organization in the making) and without a share, at once. */
  slot({ organizationId, limits }: Place): ReleaseSlot | Promise<ReleaseSlot> {
    if (!this.share || !limits) return NOTHING;
    const taken = this.share.take(organizationId, limits.maxConnections);
    if (!(taken instanceof Promise)) return taken;
    const began = performance.now();
    return taken.finally(() => this.watch.shared(performance.now() - began));
  }

  /**
   * Runs `attempt` with the tenant's place; again while its entry is refused for a reason that passes, and a few times
   * after a deadlock, a serialization failure or a lost plan, when everything was rolled back. A place that is older than
   * what a reader has seen is looked up anew: where the tenant was, its old rows may still be.
   */
  async enter<T>(attempt: (place: Place) => Promise<T>, { isRead }: { isRead: boolean }): Promise<T> {
    const began = performance.now();
    for (let failures = 0; ;) {
      const found = this.place();
      const known = found instanceof Promise ? await found : found;
      const seen = isRead ? this.seenEpoch(known) : 0;
      const isOld = (seen instanceof Promise ? await seen : seen) > known.epoch;
      const place = isOld ? await this.placeAnew(known) : known;
      if (!this.wall.stands(place.shard)) await this.wall.prove(place.shard);
      try {
        return await attempt(place);
      } catch (error) {
        const refusal = entryRefusal(error);
        if (refusal) await this.reconsider(place, refusal, performance.now() - began);
        else if ((failures += 1) < ATTEMPTS && (isRetryable(error) || isPlanLost(error))) await backOff(failures);
        else throw error;
      }
    }
  }

  /** Resolves when another try makes sense. Throws what the caller is told otherwise. */
  private async reconsider(place: Place, { state, epoch }: EntryRefusal, elapsedMs: number): Promise<void> {
    // A place that was given does not change, and who gave it holds the directory's row: only a lock is worth a wait.
    if (this.tenant.current().place && epoch !== null) throw tenantMoving();
    this.directory.forget(place.organizationId);
    const organization = await this.directory.find(place.organizationId);
    if (!organization) throw organizationUnknown();
    // No place opens again while the directory says so; only operators wait for the fence of a suspension to go.
    const closed = organization.state === 'suspended' || organization.state === 'deleting';
    if (closed && (state === organization.state || !place.isOperators)) throw organizationSuspended(organization);
    if (elapsedMs > PATIENCE_MS) throw tenantMoving();
    const learned = organization.epoch !== place.epoch || organization.shard !== place.shard.name;
    if (learned && state !== 'fenced' && state !== 'arriving') return;
    await delay(PAUSE_MS * (0.5 + Math.random()));
  }

  /** Of the caller's token; the kept one is asked for only where a read needs it anyway. */
  private seenEpoch({ shard }: Place): number | Promise<number> {
    const scope = this.tenant.consistency();
    if (!shard.hasReplicas) return scope.newest?.epoch ?? 0;
    return scope.seen().then(({ token }) => token?.epoch ?? 0);
  }

  private placeAnew({ organizationId }: Place): Place | Promise<Place> {
    this.directory.forget(organizationId);
    return this.place();
  }

  private placed(located: LocatedOrganization | undefined, charged: TenantContext): Place {
    if (!located) throw organizationUnknown();
    const { organization, fresh } = located;
    this.shards.regions.requireServed(organization);
    const { id: organizationId, epoch, limits } = organization;
    const shard = this.shards.find(organization.shard);
    if (!shard) throw shardUnavailable(organization.shard); // this process's configuration is older than the directory
    const isOperators = charged.actor.type === 'operator';
    return { organizationId, charged, shard, epoch, fresh, isOperators, limits };
  }
}

/** Full jitter (Brooker, "Exponential Backoff and Jitter", 2015). */
async function backOff(failures: number): Promise<void> {
  await delay(Math.random() * 10 * 2 ** failures);
}
