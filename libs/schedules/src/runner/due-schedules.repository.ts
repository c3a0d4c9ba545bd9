/** The schedules of a shard that are due, as the relay's role sees them: whose they are and since when, nothing else. */
import { Injectable } from '@nestjs/common';
import { Shards } from '#libs/database';

export interface DueSchedule {
  readonly organizationId: string;
  readonly id: string;
  readonly dueAt: Date;
  /** The shard's own time. */
  readonly now: Date;
}

/** A worker that hangs with its hands full gives them free. */
const HOLD = "set local idle_in_transaction_session_timeout = '15s'";

/**
 * The longest due first, without those of tenants that are suspended, going or on the move. Each is held by an advisory lock
 * until the transaction ends, and passed over by everyone else meanwhile: a row lock would stand in the way of the tenant's own
 * transaction, which takes the tick. The materialized list keeps the locks to those that are handed out.
 */
const CLAIM = `
  with due as materialized (
    select s.organization_id, s.id, s.next_run_at from schedules s
    where s.next_run_at <= now() and s.id <> all ($2::uuid[])
      and exists (select from tenant_places p where p.tenant = s.organization_id and p.state = 'open')
    order by s.next_run_at limit $3)
  select organization_id as "organizationId", id, next_run_at as "dueAt", now() as "now"
  from due where pg_try_advisory_xact_lock(7203115, uuid_hash(id)) limit $1`;

/** How many batches are looked through for one that nobody holds: as many workers find work at once. */
const BATCHES_AHEAD = 16;

@Injectable()
export class DueSchedules {
  constructor(private readonly shards: Shards) {}

  shardNames(): readonly string[] {
    return this.shards.all().map(({ name }) => name);
  }

  /** Hands up to `limit` of them to `work`, and holds them until it resolves; `except` names some that are left alone. */
  claim(
    { shard, limit, except }: { shard: string; limit: number; except: readonly string[] },
    work: (due: readonly DueSchedule[]) => Promise<void>,
  ): Promise<number> {
    return this.shards.pool(shard, 'relay').transaction(async (client) => {
      await client.query(HOLD);
      const { rows } = await client.query<DueSchedule>(CLAIM, [limit, except, limit * BATCHES_AHEAD]);
      if (rows.length > 0) await work(rows);
      return rows.length;
    });
  }
}
