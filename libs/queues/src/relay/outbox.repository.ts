/**
 * The outbox of a shard as the relay sees it: the rows of all tenants that live there, and nothing else of theirs.
 *
 * Rows are numbered (`seq`) as they are written. Relays lock what waits, in that order, and pass over what another one holds; so one
 * may hold a row whose elder of the same aggregate another one is about to publish, or has just failed to. It lets such a row
 * go, and publishes what is behind nothing: the rows of an aggregate come out one after another, though not from one relay.
 *
 *   waits → held by a relay → published
 *                           → waits: an elder waits that this relay does not hold; or publishing failed, or the relay died
 *
 * The eldest waiting row of an aggregate is behind nothing, so whoever holds it publishes it, and the rest moves up.
 */
import { Injectable } from '@nestjs/common';
import { PRIMARY_POSITION, Shards } from '#libs/database';
import { type PositionOnShard, toPosition } from '#libs/tenancy';
import type { OutboxMessage } from '../registry/topic-registry';

/**
 * What waits comes by way of its index, in order, and only as much as is wanted. Statistics may be from when nothing waited, and
 * would have a backlog sorted for each batch.
 */
const BY_INDEX = 'set local enable_sort = off';
/** Rows of a tenant that is being moved wait; those of one that has moved away are published from where it is. */
const LOCK_WAITING = `
  select o.id, o.seq, o.organization_id as "organizationId", o.topic, o.aggregate_type as "aggregateType",
    o.aggregate_id as "aggregateId", o.payload, o.traceparent
  from outbox o where o.published_at is null
    and exists (select from tenant_places p where p.tenant = o.organization_id and p.state in ('open', 'suspended'))
  order by o.seq, o.id limit $1 for update of o skip locked`;
/** Of the aggregates of the held rows, what waits before the last of these and is not among them. Few: what other relays hold. */
const ELDERS = `
  select o.organization_id as "organizationId", o.aggregate_type as "aggregateType", o.aggregate_id as "aggregateId",
    o.seq, o.id
  from outbox o where o.published_at is null and (o.seq, o.id) < ($1, $2)
    and o.aggregate_id in (select unnest($3::uuid[])) and o.id not in (select unnest($4::uuid[]))`;
const MARK = `
  update outbox o set published_at = now() from unnest($1::uuid[], $2::uuid[]) as held (organization_id, id)
  where o.organization_id = held.organization_id and o.id = held.id and o.published_at is null`;

/** Publishes messages; whoever works on one must be shown what stood at `position`. */
export type Publish = (messages: readonly OutboxMessage[], position: PositionOnShard) => Promise<void>;

export interface Published {
  readonly rows: number;
  /** Rows that were let go because an elder one waits: it is soon gone. */
  readonly behind: number;
}

type Row = OutboxMessage;
type Elder = Pick<Row, 'organizationId' | 'aggregateType' | 'aggregateId' | 'seq' | 'id'>;

@Injectable()
export class OutboxRepository {
  constructor(private readonly shards: Shards) {}

  /** Names of the shards that have an outbox. */
  shardNames(): readonly string[] {
    return this.shards.all().map(({ name }) => name);
  }

  /**
   * Locks up to `limit` waiting rows of a shard, hands those that are behind no other to `publish`, in order, and marks them when it
   * resolves; when it throws, they wait for the next round.
   */
  async publishNext(shard: string, limit: number, publish: Publish): Promise<Published> {
    return this.shards.pool(shard, 'relay').transaction(async (client) => {
      await client.query(BY_INDEX);
      const { rows: held } = await client.query<Row>(LOCK_WAITING, [limit]);
      const last = held[held.length - 1];
      if (!last) return { rows: 0, behind: 0 };
      const aggregates = [...new Set(held.map((row) => row.aggregateId))];
      const ids = held.map((row) => row.id);
      const { rows: elders } = await client.query<Elder>(ELDERS, [last.seq, last.id, aggregates, ids]);
      const rows = behindNone(held, elders);
      if (rows.length > 0) {
        const [reached] = (await client.query<{ position: string; timeline: string }>(PRIMARY_POSITION.text)).rows;
        await publish(rows, { shard, timeline: reached!.timeline, position: toPosition(reached!.position) });
        await client.query(MARK, [rows.map((row) => row.organizationId), rows.map((row) => row.id)]);
      }
      return { rows: rows.length, behind: held.length - rows.length };
    });
  }
}

const aggregateOf = ({ organizationId, aggregateType, aggregateId }: Elder): string =>
  JSON.stringify([organizationId, aggregateType, aggregateId]);

function behindNone(held: readonly Row[], elders: readonly Elder[]): readonly Row[] {
  if (elders.length === 0) return held;
  const eldest = new Map<string, Elder>();
  for (const elder of elders) {
    const known = eldest.get(aggregateOf(elder));
    if (!known || isBefore(elder, known)) eldest.set(aggregateOf(elder), elder);
  }
  return held.filter((row) => {
    const elder = eldest.get(aggregateOf(row));
    return !elder || isBefore(row, elder);
  });
}

function isBefore(one: Elder, other: Elder): boolean {
  const [first, second] = [BigInt(one.seq), BigInt(other.seq)];
  return first === second ? one.id < other.id : first < second;
}
