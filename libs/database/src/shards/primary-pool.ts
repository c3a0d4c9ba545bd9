/** A role's connections to whichever node of a shard is the primary: what pg.Pool offers, following promotions. */
import type { PoolClient, QueryResult, QueryResultRow } from 'pg';
import { translateDatabaseError } from '../database.error';
import { type DatabaseNode, isConnectionLoss } from './database-node';
import type { ServingRole } from './node-pool';
import type { Shard } from './shard';

export class PrimaryPool {
  constructor(
    readonly shard: Shard,
    private readonly role: ServingRole,
  ) {}

  /** Throws `database_unavailable` (503) while the shard has no primary. */
  async query<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
    return this.shard
      .requirePrimary()
      .pool(this.role)
      .query<Row>(text, [...values]);
  }

  /** The same from a replica while there is no primary or it dies over it: for what may be old, such as the directory. */
  async queryAnywhere<Row extends QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<QueryResult<Row>> {
    const node = this.anyNode();
    try {
      return await node.untilDead(node.pool(this.role).query<Row>(text, [...values]), () => undefined);
    } catch (error) {
      if (!isConnectionLoss(error) || node.state.isUp) throw error;
      return this.anyNode()
        .pool(this.role)
        .query<Row>(text, [...values]);
    }
  }

  /** One transaction. Rejects with the platform's errors; a connection that cannot even roll back is dropped. */
  async transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    let client: PoolClient | undefined;
    try {
      client = await this.connect();
      await client.query('begin');
      const result = await work(client);
      const { command } = await client.query('commit');
      if (command !== 'COMMIT') throw new Error('The transaction was rolled back.');
      client.release();
      return result;
    } catch (error) {
      if (client) await rollBack(client);
      throw translateDatabaseError(error);
    }
  }

  /** The caller releases it. */
  async connect(): Promise<PoolClient> {
    return this.shard.requirePrimary().pool(this.role).connect();
  }

  private anyNode(): DatabaseNode {
    return this.shard.primary ?? this.shard.usableReplicas(performance.now())[0] ?? this.shard.requirePrimary();
  }
}

async function rollBack(client: PoolClient): Promise<void> {
  try {
    await client.query('rollback');
    client.release();
  } catch {
    client.release(true);
  }
}
