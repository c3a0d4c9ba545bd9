/** The statement and batch lanes: one flight, on the primary for writes, on the node that the router chooses for reads. */
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { isRetryable } from '../database.error';
import { type FlightResult, type FlightStatement, isPlanLost } from '../lanes/flight';
import type { Statement } from '../lanes/statement';
import { enterWrite, PRIMARY_POSITION } from './entry-statements';
import { NodeFlights } from './node-flights';
import type { Place } from './place';
import { ReadRoutes, type ReadTarget } from './read-routes';
import { TenantEntrance } from './tenant-entrance';

const ATTEMPTS = 4;

@Injectable()
export class TenantFlights {
  constructor(
    private readonly entrance: TenantEntrance,
    private readonly routes: ReadRoutes,
    private readonly flights: NodeFlights,
  ) {}

  write(statements: readonly Statement[]): Promise<readonly FlightResult[]> {
    return this.entrance.enter((place) => this.retried(() => this.writeAt(place, statements)), { isRead: false });
  }

  read(statements: readonly Statement[]): Promise<readonly FlightResult[]> {
    const wantsPrimary = statements.some(({ reads }) => reads === 'primary');
    const at = (place: Place) =>
      this.routes.elsewhere(place, wantsPrimary, (target) => this.readAt(place, target, statements));
    return this.entrance.enter((place) => this.retried(() => at(place)), { isRead: true });
  }

  /** After a deadlock, a serialization failure or a lost plan: everything was rolled back. */
  private async retried<T>(attempt: () => Promise<T>): Promise<T> {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt();
      } catch (error) {
        if (attempts >= ATTEMPTS || !(isRetryable(error) || isPlanLost(error))) throw error;
        await delay(Math.random() * 10 * 2 ** attempts);
      }
    }
  }

  private async writeAt(place: Place, statements: readonly Statement[]): Promise<readonly FlightResult[]> {
    const { shard, organizationId } = place;
    const taken = this.entrance.slot(place);
    const release = taken instanceof Promise ? await taken : taken;
    try {
      const flight = [enterWrite(place), ...bound(organizationId, statements)];
      const node = shard.requirePrimary();
      const { results, tail } = await this.flights.send({
        ...{ shard, node, statements: flight, isRead: false },
        tail: PRIMARY_POSITION,
      });
      this.routes.observe(place, tail);
      return results.slice(1);
    } finally {
      release();
    }
  }

  private async readAt(
    place: Place,
    { node, opening, position, release }: ReadTarget,
    statements: readonly Statement[],
  ): Promise<readonly FlightResult[]> {
    try {
      const flight = [...opening, ...bound(place.organizationId, statements), ...(position ? [position] : [])];
      const { results } = await this.flights.send({ shard: place.shard, node, statements: flight, isRead: true });
      if (position) {
        this.routes.observe(place, results[results.length - 1]);
        this.routes.learn(place, node, results[results.length - 1]);
      }
      return results.slice(opening.length, opening.length + statements.length);
    } finally {
      release();
    }
  }
}

function bound(organizationId: string, statements: readonly Statement[]): FlightStatement[] {
  return statements.map(({ name, text, values }) => ({ name, text, values: [organizationId, ...values] }));
}
