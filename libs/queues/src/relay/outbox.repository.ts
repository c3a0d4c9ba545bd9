/** The outbox as the relay sees it: the rows of all tenants, and nothing else of theirs. */
import { Inject, Injectable } from '@nestjs/common';
import { RELAY_POOL, translateDatabaseError } from '#libs/database';
import type { Pool, PoolClient } from 'pg';
import type { OutboxMessage } from '../registry/topic-registry';

const LOCK_WAITING = `
  select id, organization_id as "organizationId", topic, aggregate_type as "aggregateType",
    aggregate_id as "aggregateId", payload
  from outbox where published_at is null order by id limit $1 for update skip locked`;
const MARK = 'update outbox set published_at = now() where id = any ($1::uuid[]) and published_at is null';

@Injectable()
export class OutboxRepository {
  constructor(@Inject(RELAY_POOL) private readonly pool: Pool | null) {}

  /**
   * Locks up to `limit` waiting rows, hands them to `publish` and marks them when it resolves; when it throws, they
   * wait for the next round. Rows that another relay holds are passed over. Resolves with the number of rows.
   */
  async publishNext(limit: number, publish: (messages: readonly OutboxMessage[]) => Promise<void>): Promise<number> {
    if (!this.pool) throw new Error('This process has no relay pool: DatabaseModule.forRoot({ relay: true }).');
    try {
      const client = await this.pool.connect();
      return await inTransaction(client, async () => {
        const { rows } = await client.query<OutboxMessage>(LOCK_WAITING, [limit]);
        if (rows.length === 0) return 0;
        await publish(rows);
        await client.query(MARK, [rows.map((row) => row.id)]);
        return rows.length;
      });
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }

  /** The previous, this and the coming months of every partitioned table; resolves with how many were made. */
  async maintainPartitions(monthsAhead: number): Promise<number> {
    const found = await this.pool?.query<{ made: number }>('select maintain_partitions($1) as made', [monthsAhead]);
    return found?.rows[0]?.made ?? 0;
  }
}

async function inTransaction<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: unknown) => {
      broken = failure as Error;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
