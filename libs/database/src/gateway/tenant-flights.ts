/** The statement and batch lanes: one flight, on the primary for writes, on the node that the router chooses for reads. */
import { Injectable } from '@nestjs/common';
import type { FlightResult, FlightStatement } from '../lanes/flight';
import type { Statement } from '../lanes/statement';
import { enterWrite, PRIMARY_POSITION } from './entry-statements';
import { handOn, type LaneSpan } from './lane-span';
import { NodeFlights } from './node-flights';
import type { Place } from './place';
import { ReadRoutes, type ReadTarget } from './read-routes';
import { TenantEntrance } from './tenant-entrance';

@Injectable()
export class TenantFlights {
  constructor(
    private readonly entrance: TenantEntrance,
    private readonly routes: ReadRoutes,
    private readonly flights: NodeFlights,
  ) {}

  write(statements: readonly Statement[], span?: LaneSpan): Promise<FlightResult[]> {
    return this.entrance.enter((place) => this.writeAt(place, statements, span), { isRead: false });
  }

  read(statements: readonly Statement[], span?: LaneSpan): Promise<FlightResult[]> {
    const wantsPrimary = statements.some(({ reads }) => reads === 'primary');
    return this.entrance.enter(
      (place) => this.routes.elsewhere(place, wantsPrimary, (target) => this.readAt(place, target, statements, span)),
      { isRead: true },
    );
  }

  private async writeAt(place: Place, statements: readonly Statement[], span?: LaneSpan): Promise<FlightResult[]> {
    const { shard } = place;
    const taken = this.entrance.slot(place);
    const release = taken instanceof Promise ? await taken : taken;
    try {
      const node = shard.requirePrimary();
      span?.wentTo(shard, node);
      const opening = [enterWrite(place), ...handOn(span)];
      const { results, tail } = await this.flights.send({
        shard,
        node,
        statements: inFlight(opening, place, statements),
        tail: PRIMARY_POSITION,
        charged: place.charged,
        isRead: false,
      });
      if (tail) this.routes.observe(place, tail);
      else await this.routes.observeLost(place);
      return results.slice(opening.length);
    } finally {
      release();
    }
  }

  private async readAt(
    place: Place,
    { node, opening, position, release }: ReadTarget,
    statements: readonly Statement[],
    span?: LaneSpan,
  ): Promise<FlightResult[]> {
    try {
      span?.wentTo(place.shard, node);
      const flight = inFlight(opening, place, statements);
      if (position) flight.push(position);
      const { shard, charged } = place;
      const { results } = await this.flights.send({ shard, node, statements: flight, charged, isRead: true });
      if (position) {
        const reached = results[results.length - 1];
        this.routes.observe(place, reached);
        this.routes.learn(place, node, reached);
      }
      return results.slice(opening.length, opening.length + statements.length);
    } finally {
      release();
    }
  }
}

/** What lets the tenant in, then the statements with the organization as their first value. */
function inFlight(
  opening: readonly FlightStatement[],
  { organizationId }: Place,
  statements: readonly Statement[],
): FlightStatement[] {
  const flight = [...opening];
  for (const { name, text, values } of statements) flight.push({ name, text, values: [organizationId, ...values] });
  return flight;
}
