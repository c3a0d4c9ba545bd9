/** Months of partitioned tables, made and dropped by functions that the schema's owner lent to the relay. */
import { Inject, Injectable } from '@nestjs/common';
import { RELAY_POOL, translateDatabaseError } from '#libs/database';
import type { Pool } from 'pg';

/** Tables whose months do not stay for ever. */
export type RetiringTable = 'tenant_usage' | 'audit_log' | 'outbox';

@Injectable()
export class PartitionRepository {
  constructor(@Inject(RELAY_POOL) private readonly pool: Pool | null) {}

  /** The previous, this and the coming months of every partitioned table; resolves with how many were made. */
  async maintain(monthsAhead: number): Promise<number> {
    return (await this.call<number>('select maintain_partitions($1) as answer', [monthsAhead])) ?? 0;
  }

  /**
   * Drops the oldest month of a table that ended longer ago than `kept`, such as `13 months`. Resolves with its name, or
   * null when there is none. A month of the outbox that holds an unpublished row stays.
   */
  retire(table: RetiringTable, kept: string): Promise<string | null> {
    return this.call<string>('select retire_partition($1, $2::interval) as answer', [table, kept]);
  }

  private async call<T>(sql: string, values: readonly unknown[]): Promise<T | null> {
    try {
      const found = await this.pool?.query<{ answer: T | null }>(sql, [...values]);
      return found?.rows[0]?.answer ?? null;
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }
}
