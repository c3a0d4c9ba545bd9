/** A role's connections to whichever node of a shard is the primary: what pg.Pool offers, following promotions. */
import type { PoolClient, QueryResult, QueryResultRow } from 'pg';
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

  /** The same from a replica while there is no primary: for what may be old, such as the directory. */
  async queryAnywhere<Row extends QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<QueryResult<Row>> {
    const node = this.shard.primary ?? this.shard.usableReplicas(performance.now())[0] ?? this.shard.requirePrimary();
    return node.pool(this.role).query<Row>(text, [...values]);
  }

  /** The caller releases it. */
  async connect(): Promise<PoolClient> {
    return this.shard.requirePrimary().pool(this.role).connect();
  }
}
