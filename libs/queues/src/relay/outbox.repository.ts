/** The outbox of a shard as the relay sees it: the rows of all tenants that live there, and nothing else of theirs. */
import { Injectable } from '@nestjs/common';
import { PRIMARY_POSITION, Shards } from '#libs/database';
import { type PositionOnShard, toPosition } from '#libs/tenancy';
import type { OutboxMessage } from '../registry/topic-registry';

/** Rows of a tenant that is being moved wait; those of one that has moved away are published from where it is. */
const LOCK_WAITING = `
  select o.id, o.organization_id as "organizationId", o.topic, o.aggregate_type as "aggregateType",
    o.aggregate_id as "aggregateId", o.payload
  from outbox o where o.published_at is null
    and exists (select from tenant_places p where p.tenant = o.organization_id and p.state in ('open', 'suspended'))
  order by o.id limit $1 for update of o skip locked`;
const MARK = 'update outbox set published_at = now() where id = any ($1::uuid[]) and published_at is null';

/** Publishes messages; whoever works on one must be shown what stood at `position`. */
export type Publish = (messages: readonly OutboxMessage[], position: PositionOnShard) => Promise<void>;

@Injectable()
export class OutboxRepository {
  constructor(private readonly shards: Shards) {}

  /** Names of the shards that have an outbox. */
  shardNames(): readonly string[] {
    return this.shards.all().map(({ name }) => name);
  }

  /**
   * Locks up to `limit` waiting rows of a shard, hands them to `publish` and marks them when it resolves; when it throws,
   * they wait for the next round. Rows that another relay holds are passed over. Resolves with the number of rows.
   */
  async publishNext(shard: string, limit: number, publish: Publish): Promise<number> {
    return this.shards.pool(shard, 'relay').transaction(async (client) => {
      const { rows } = await client.query<OutboxMessage>(LOCK_WAITING, [limit]);
      if (rows.length === 0) return 0;
      const [reached] = (await client.query<{ position: string; timeline: string }>(PRIMARY_POSITION.text)).rows;
      await publish(rows, { shard, timeline: reached!.timeline, position: toPosition(reached!.position) });
      await client.query(MARK, [rows.map((row) => row.id)]);
      return rows.length;
    });
  }
}
