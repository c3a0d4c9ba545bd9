/** Months of partitioned tables of a shard, made and dropped by functions that the schema's owner lent to the relay. */
import { Injectable } from '@nestjs/common';
import { Shards, translateDatabaseError } from '#libs/database';

/** Tables whose months do not stay for ever. */
export type RetiringTable = 'tenant_minutes' | 'tenant_hours' | 'tenant_usage' | 'audit_log' | 'outbox';

@Injectable()
export class PartitionRepository {
  constructor(private readonly shards: Shards) {}

  shardNames(): readonly string[] {
    return this.shards.all().map(({ name }) => name);
  }

  /** The previous, this and the coming months of every partitioned table; resolves with how many were made. */
  async maintain(shard: string, monthsAhead: number): Promise<number> {
    return (await this.call<number>(shard, 'select maintain_partitions($1) as answer', [monthsAhead]))!;
  }

  /**
   * Drops the oldest month of a table that ended longer ago than `kept`, such as `13 months`. Resolves with its name, or
   * null when there is none. A month of the outbox that holds an unpublished row stays.
   */
  retire(shard: string, table: RetiringTable, kept: string): Promise<string | null> {
    return this.call<string>(shard, 'select retire_partition($1, $2::interval) as answer', [table, kept]);
  }

  private async call<T>(shard: string, sql: string, values: readonly unknown[]): Promise<T | null> {
    try {
      const { rows } = await this.shards.pool(shard, 'relay').query<{ answer: T | null }>(sql, [...values]);
      return rows[0]!.answer;
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }
}
