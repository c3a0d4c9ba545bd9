/** Takes a read to a node that may answer it, and to another one when that one cannot after all. */
import { Injectable } from '@nestjs/common';
import { TenantContextHolder, toPosition } from '#libs/tenancy';
import { isReadOnly, replayedSoFar } from '../database.error';
import type { FlightResult, FlightStatement } from '../lanes/flight';
import { type Route, routeRead, routeToPrimary } from '../routing/read-router';
import { type DatabaseNode, isConnectionLoss } from '../shards/database-node';
import { Shards } from '../shards/shards.service';
import { enterRead, PRIMARY_POSITION, REPLICA_POSITION, requireReplayed } from './entry-statements';
import { NodeFlights } from './node-flights';
import type { Place } from './place';
import { ReadStatistics } from './read-statistics';
import { TenantEntrance } from './tenant-entrance';

/** Where a read goes and what belongs around its statements there. */
export interface ReadTarget {
  readonly node: DatabaseNode;
  /** What lets the tenant in. */
  readonly opening: readonly FlightStatement[];
  /** Answers the position that was seen; undefined where the shard has no replicas to compare with. */
  readonly position: FlightStatement | undefined;
  /** Must be called once, at the end. */
  readonly release: () => void;
}

const BEYOND_ALL = toPosition('FFFFFFFF/FFFFFFFF');

interface Position {
  readonly position: string | null;
  readonly timeline?: string | null;
}

@Injectable()
export class ReadRoutes {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly entrance: TenantEntrance,
    private readonly statistics: ReadStatistics,
    private readonly shards: Shards,
    private readonly flights: NodeFlights,
  ) {}

  /** Runs `attempt` on one node after another until one answers. `attempt` calls release, whatever happens. */
  async elsewhere<T>(place: Place, wantsPrimary: boolean, attempt: (target: ReadTarget) => Promise<T>): Promise<T> {
    const failed = new Set<DatabaseNode>();
    for (;;) {
      const chosen = this.route(place, wantsPrimary, failed);
      const route = chosen instanceof Promise ? await chosen : chosen;
      try {
        const target = this.target(place, route);
        return await attempt(target instanceof Promise ? await target : target);
      } catch (error) {
        if (failed.has(route.node) || !this.triesElsewhere(place, route, error)) throw error;
        failed.add(route.node);
        // Nobody else may be able to answer. When it has, its other broken connections are known too.
        if (route.node === place.shard.primary) await this.shards.ask(place.shard, route.node);
      }
    }
  }

  /** What this work has seen, the caller has seen. `answer` is that of a position statement. */
  observe({ shard, epoch }: Place, answer: FlightResult | undefined): void {
    const [row] = (answer?.rows ?? []) as unknown as Position[];
    const timeline = row?.timeline ?? shard.timeline;
    if (!row?.position || timeline === undefined) return;
    this.tenant.consistency().observe({ shard: shard.name, epoch, timeline, position: toPosition(row.position) });
  }

  /**
   * Of a commit whose own position was lost. Where the primary does not say a later one either, the caller has seen more than
   * any replica will ever replay: its reads go to the primary until another timeline or epoch begins.
   */
  async observeLost(place: Place): Promise<void> {
    const { shard, epoch } = place;
    const known = await this.flights.position(shard);
    if (known) this.observe(place, known);
    else if (shard.timeline !== undefined) {
      const seen = { shard: shard.name, epoch, timeline: shard.timeline, position: BEYOND_ALL };
      this.tenant.consistency().observe(seen);
    }
  }

  /** A replica's answer says how far it is, sooner than the next probe. */
  learn({ shard }: Place, node: DatabaseNode, answer: FlightResult | undefined): void {
    const [row] = (answer?.rows ?? []) as unknown as Position[];
    if (node !== shard.primary && row?.position) node.state.replayedTo(row.position);
  }

  /** At once where there is no choice. */
  private route(place: Place, wantsPrimary: boolean, failed: ReadonlySet<DatabaseNode>): Route | Promise<Route> {
    const { shard } = place;
    if (wantsPrimary || !shard.hasReplicas) return routeToPrimary(shard);
    return this.routeBySeen(place, failed);
  }

  private async routeBySeen({ shard, epoch }: Place, failed: ReadonlySet<DatabaseNode>): Promise<Route> {
    const seen = await this.tenant.consistency().seen();
    // Another process knows of a promotion already: whoever was the primary here may be one no more.
    const { token } = seen;
    if (token?.shard === shard.name && token.timeline > (shard.timeline ?? '')) {
      await this.shards.lookFor(shard, token.timeline);
    }
    return routeRead(shard, epoch, seen, failed);
  }

  /** At once where neither the gate nor the tenant's share has to be waited for. */
  private target(place: Place, route: Route): ReadTarget | Promise<ReadTarget> {
    if (route.standsIn) return this.standIn(place, route);
    const slot = this.entrance.slot(place);
    return slot instanceof Promise
      ? slot.then((release) => this.reached(place, route, release))
      : this.reached(place, route, slot);
  }

  private async standIn(place: Place, route: Route): Promise<ReadTarget> {
    const slot = await this.entrance.slot(place); // first: who waits for its own share keeps nobody from the gate
    try {
      const leave = await place.shard.fallback.enter();
      return this.reached(place, route, () => {
        slot();
        leave();
      });
    } catch (error) {
      slot();
      throw error;
    }
  }

  private reached(place: Place, { node, reason, mustHaveReplayed }: Route, release: () => void): ReadTarget {
    const { shard } = place;
    this.statistics.count(shard.name, reason);
    const opening = [enterRead(place)];
    if (mustHaveReplayed !== undefined) opening.push(requireReplayed(mustHaveReplayed));
    const position = node === shard.primary ? PRIMARY_POSITION : REPLICA_POSITION;
    return { node, opening, position: shard.hasReplicas ? position : undefined, release };
  }

  /** A replica that is behind after all, or gone: the read goes elsewhere. A primary that is none any more may have been replaced. */
  private triesElsewhere({ shard }: Place, { node }: Route, error: unknown): boolean {
    const replayed = replayedSoFar(error);
    if (replayed !== undefined) {
      node.state.replayedTo(replayed);
      this.statistics.count(shard.name, 'refused_behind');
      return true;
    }
    if (!isConnectionLoss(error) && !isReadOnly(error)) return false;
    this.statistics.count(shard.name, 'node_failed');
    return shard.hasReplicas;
  }
}
