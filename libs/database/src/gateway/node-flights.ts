/** Sends one flight to one node: checkout, deadline, release, and what a failure says of the node. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import type { PoolClient } from 'pg';
import { databaseSilent, isReadOnly } from '../database.error';
import { Flight, type FlightResult, type FlightStatement, FlightTail } from '../lanes/flight';
import { type DatabaseNode, isConnectionLoss } from '../shards/database-node';
import type { Shard } from '../shards/shard';
import { Shards } from '../shards/shards.service';

export interface FlightPlan {
  readonly shard: Shard;
  readonly node: DatabaseNode;
  readonly statements: readonly FlightStatement[];
  /** Behind the Sync, so that it sees the commit. Its failure is not the flight's: then there is no answer. */
  readonly tail?: FlightStatement;
  /** A read can be done elsewhere: it is ended when the node is found dead. */
  readonly isRead: boolean;
}

export interface FlightAnswer {
  readonly results: readonly FlightResult[];
  readonly tail: FlightResult | undefined;
}

@Injectable()
export class NodeFlights {
  private readonly prepare: boolean;
  private readonly answerTimeoutMs: number;

  constructor(
    private readonly shards: Shards,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'DATABASE_PREPARED_STATEMENTS' | 'DATABASE_ANSWER_TIMEOUT_MS'>,
  ) {
    this.prepare = config.DATABASE_PREPARED_STATEMENTS === 'on';
    this.answerTimeoutMs = config.DATABASE_ANSWER_TIMEOUT_MS;
  }

  async send(plan: FlightPlan): Promise<FlightAnswer> {
    const { node } = plan;
    node.outstanding += 1;
    try {
      const client = await this.checkout(plan.shard, node);
      return await this.sendOn(client, plan);
    } finally {
      node.outstanding -= 1;
    }
  }

  /** A connection of the app role. The caller releases it, with `true` if it is of no more use. */
  async checkout(shard: Shard, node: DatabaseNode): Promise<PoolClient> {
    try {
      return await node.untilDead(node.pool('app').connect(), (client) => client.release());
    } catch (error) {
      this.noteFailure(shard, node, error);
      throw error;
    }
  }

  /** On a connection that is kept for more: the caller releases it. Rejects with `silent` errors as everything else. */
  async fly(client: PoolClient, plan: FlightPlan): Promise<FlightAnswer> {
    const tail = plan.tail && new FlightTail(plan.tail, this.prepare);
    const flight = new Flight(plan.statements, this.prepare, tail);
    if (plan.isRead) plan.node.trackRead(flight);
    const deadline = setTimeout(() => flight.abort(databaseSilent()), this.answerTimeoutMs);
    try {
      client.query(flight);
      const behind = tail && this.behind(client, tail);
      const results = await flight.results;
      return { results, tail: (await behind)?.[0] };
    } catch (error) {
      this.noteFailure(plan.shard, plan.node, error);
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  private async sendOn(client: PoolClient, plan: FlightPlan): Promise<FlightAnswer> {
    let broken = true;
    try {
      const answer = await this.fly(client, plan);
      broken = false;
      return answer;
    } catch (error) {
      broken = !isServerError(error);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  private behind(client: PoolClient, tail: FlightTail): Promise<readonly FlightResult[] | undefined> {
    client.query(tail);
    return tail.results.catch(() => undefined);
  }

  private noteFailure(shard: Shard, node: DatabaseNode, error: unknown): void {
    if (isConnectionLoss(error) || isReadOnly(error)) this.shards.noteFailure(shard, node, error);
  }
}

/** The server answered, with an error: the connection is as good as before. */
export function isServerError(error: unknown): boolean {
  return typeof (error as { severity?: unknown } | null)?.severity === 'string' && !isConnectionLoss(error);
}
