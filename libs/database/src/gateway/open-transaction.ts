/** One open tenant transaction on one connection: its queries, its end, and the way back to the pool. */
import { StockyardError } from '#libs/kernel';
import type { PoolClient } from 'pg';
import { type FlightResult, type FlightStatement, isPlanLost } from '../lanes/flight';
import type { LaneResult, SendQuery } from '../lanes/interactive-lane';
import type { DatabaseNode } from '../shards/database-node';
import { isServerError, type NodeFlights } from './node-flights';
import type { Place } from './place';

const COMMIT: FlightStatement = { name: 'commit', text: 'COMMIT', values: [] };
const ROLLBACK: FlightStatement = { name: 'rollback', text: 'ROLLBACK', values: [] };

export interface TransactionPlan {
  readonly place: Place;
  readonly node: DatabaseNode;
  /** BEGIN, and what lets the tenant in. */
  readonly opening: readonly FlightStatement[];
  /** Answers the position that was reached; travels with the COMMIT. */
  readonly position: FlightStatement | undefined;
  /** A read can be done elsewhere as long as nothing has come back: its opening is ended when the node is found dead. */
  readonly isRead: boolean;
  /** Runs when the connection is given back. */
  readonly release: () => void;
}

export class OpenTransaction {
  private broken = false;
  private over = false;

  private constructor(
    private readonly flights: NodeFlights,
    private readonly plan: TransactionPlan,
    private readonly client: PoolClient,
  ) {}

  /**
   * Opens a transaction together with its first query. Rejects where it could not be opened or entered, with nothing left
   * behind; an error of the query itself is in `first`, and the transaction then waits for its rollback.
   */
  static async begin(flights: NodeFlights, plan: TransactionPlan, first: FlightStatement) {
    const { place, node, opening } = plan;
    node.outstanding += 1;
    let client: PoolClient;
    try {
      client = await flights.checkout(place.shard, node);
    } catch (error) {
      node.outstanding -= 1;
      plan.release();
      throw error;
    }
    const transaction = new OpenTransaction(flights, plan, client);
    try {
      const results = await transaction.fly([...opening, first], plan.isRead);
      return { transaction, first: results[opening.length]! };
    } catch (error) {
      // With a server's error the block is open and failed. Which statement it was, only its code can tell.
      if (isServerError(error) && !isBeforeFirst(error)) return { transaction, first: { failure: error } };
      await transaction.rollBack();
      throw error;
    }
  }

  /** Committed or rolled back, and given back to the pool. */
  get isOver(): boolean {
    return this.over;
  }

  readonly send: SendQuery = async (text, values): Promise<LaneResult> => {
    const [result] = await this.fly([this.flights.named(text, values)]);
    return result!;
  };

  get isRead(): boolean {
    return this.plan.isRead;
  }

  /** Resolves with the answer to the position statement, if it had one. Throws where the server rolled back instead. */
  async commit(): Promise<FlightResult | undefined> {
    const { position } = this.plan;
    try {
      const [committed, reached] = await this.fly(position ? [COMMIT, { ...position, afterCommit: true }] : [COMMIT]);
      if (committed!.command !== 'COMMIT') throw rolledBack();
      return reached;
    } finally {
      this.giveBack();
    }
  }

  /** Never rejects: a connection that cannot even roll back is dropped. */
  async rollBack(): Promise<void> {
    if (!this.broken) await this.fly([ROLLBACK]).catch(() => (this.broken = true));
    this.giveBack();
  }

  private async fly(statements: readonly FlightStatement[], isRead = false): Promise<readonly FlightResult[]> {
    const { place, node } = this.plan;
    try {
      const { shard, charged } = place;
      const flight = { shard, node, statements, charged, isRead };
      return (await this.flights.fly(this.client, flight)).results;
    } catch (error) {
      if (!isServerError(error)) this.broken = true;
      throw error;
    }
  }

  private giveBack(): void {
    this.over = true;
    this.plan.node.outstanding -= 1;
    this.client.release(this.broken);
    this.plan.release();
  }
}

/** The query did not run: a way in refused (migrations/1764000006000-places.ts), or a plan was lost. */
function isBeforeFirst(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'SY003' || code === 'SY004' || isPlanLost(error);
}

function rolledBack(): StockyardError {
  return new StockyardError({
    code: 'transaction_rolled_back',
    category: 'internal',
    message: 'The transaction was rolled back although no error was raised; an error inside it was swallowed.',
  });
}
