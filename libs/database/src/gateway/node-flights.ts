/** Sends one flight to one node: checkout, deadline, release, and what a failure says of the node. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type Charged, RowTally } from '#libs/tenancy';
import type { PoolClient } from 'pg';
import { databaseSilent, isReadOnly } from '../database.error';
import { Flight, type FlightResult, type FlightStatement, FlightTail } from '../lanes/flight';
import { TextNames } from '../lanes/text-names';
import { type DatabaseNode, isConnectionLoss } from '../shards/database-node';
import type { Shard } from '../shards/shard';
import { Shards } from '../shards/shards.service';
import { PRIMARY_POSITION } from './entry-statements';
import { LaneWatch } from './lane-watch';

export interface FlightPlan {
  readonly shard: Shard;
  readonly node: DatabaseNode;
  readonly statements: readonly FlightStatement[];
  /** Behind the Sync, so that it sees the commit. Its failure or silence is not the flight's: then there is no answer. */
  readonly tail?: FlightStatement;
  /** Whose the time is that it takes; undefined for the platform's own. */
  readonly charged?: Charged;
  /** A read can be done elsewhere: it is ended when the node is found dead. */
  readonly isRead: boolean;
}

export interface FlightAnswer {
  readonly results: FlightResult[];
  readonly tail: FlightResult | undefined;
}

@Injectable()
export class NodeFlights {
  private readonly prepare: boolean;
  private readonly answerTimeoutMs: number;
  private readonly names = new TextNames();

  constructor(
    private readonly shards: Shards,
    private readonly watch: LaneWatch,
    private readonly rows: RowTally,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'DATABASE_PREPARED_STATEMENTS' | 'DATABASE_ANSWER_TIMEOUT_MS'>,
  ) {
    this.prepare = config.DATABASE_PREPARED_STATEMENTS === 'on';
    this.answerTimeoutMs = config.DATABASE_ANSWER_TIMEOUT_MS;
  }

  async send(plan: FlightPlan): Promise<FlightAnswer> {
    const { node } = plan;
    node.outstanding += 1;
    let client: PoolClient | undefined;
    let broken = false;
    try {
      client = await this.checkout(plan.shard, node);
      const answer = await this.fly(client, plan);
      broken = plan.tail !== undefined && answer.tail === undefined;
      return answer;
    } catch (error) {
      broken = !isServerError(error);
      throw error;
    } finally {
      node.outstanding -= 1;
      client?.release(broken);
    }
  }

  /** Where the primary's log is flushed to now. Without an answer where it does not say. */
  async position(shard: Shard): Promise<FlightResult | undefined> {
    try {
      const plan = { shard, node: shard.requirePrimary(), statements: [PRIMARY_POSITION], isRead: true };
      return (await this.send(plan)).results[0];
    } catch {
      return undefined;
    }
  }

  /** A statement of somebody who gives none a name: TypeORM. */
  named(text: string, values: readonly unknown[]): FlightStatement {
    return { name: this.prepare ? this.names.nameOf(text) : '', text, values };
  }

  /** A connection of the app role. The caller releases it, with `true` if it is of no more use. */
  async checkout(shard: Shard, node: DatabaseNode): Promise<PoolClient> {
    const pool = node.pool('app');
    const began = performance.now();
    try {
      if (pool.idleCount > 0) return await pool.connect(); // nothing to wait for
      return await node.untilDead(pool.connect(), (client) => client.release());
    } catch (error) {
      this.noteFailure(shard, node, error);
      throw error;
    } finally {
      this.watch.checkedOut(shard.name, node.name, performance.now() - began);
    }
  }

  /** On a connection that is kept for more: the caller releases it. Rejects with `silent` errors as everything else. */
  async fly(client: PoolClient, { shard, node, statements, tail, isRead, charged }: FlightPlan): Promise<FlightAnswer> {
    const behind = tail && new FlightTail(tail, this.prepare);
    const flight = new Flight(statements, this.prepare, behind);
    if (isRead) node.trackRead(flight);
    const began = performance.now();
    const deadline = setTimeout(endUnanswered, this.answerTimeoutMs, flight, behind);
    try {
      client.query(flight);
      const answer = behind && this.answerOf(client, behind);
      const results = await flight.results;
      return { results, tail: answer && (await answer) };
    } catch (error) {
      this.noteFailure(shard, node, error);
      throw error;
    } finally {
      clearTimeout(deadline);
      if (charged) this.rows.took(charged, performance.now() - began);
      if (isRead) node.forgetRead(flight);
    }
  }

  private answerOf(client: PoolClient, tail: FlightTail): Promise<FlightResult | undefined> {
    client.query(tail);
    return tail.results.then(
      ([result]) => result,
      () => undefined,
    );
  }

  private noteFailure(shard: Shard, node: DatabaseNode, error: unknown): void {
    if (isConnectionLoss(error) || isReadOnly(error)) this.shards.noteFailure(shard, node, error);
  }
}

function endUnanswered(flight: Flight, tail: FlightTail | undefined): void {
  flight.abort(databaseSilent());
  tail?.abort(databaseSilent());
}

/** The server answered, with an error: the connection is as good as before. */
export function isServerError(error: unknown): boolean {
  const { severity } = (error ?? {}) as { severity?: unknown };
  return typeof severity === 'string' && severity !== 'FATAL' && severity !== 'PANIC' && !isConnectionLoss(error);
}
