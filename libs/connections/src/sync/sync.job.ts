/** The job that pulls stock through a connection, and how it can end. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import { defineJob } from '#libs/queues';

const PAYLOAD = shape(closed({ connection_id: Fields.id('Connection that stock is pulled through.') }));
export type SyncPayload = ShapeType<typeof PAYLOAD>;

/** A run gives its slot up long before; this is for one that hangs. */
const TIMEOUT_MS = 600_000;

/** One at a time for each connection, whoever asks for it: a client, a schedule, a replay. */
export const INVENTORY_SYNC = defineJob<SyncPayload>({
  type: 'inventory.sync',
  class: 'critical',
  version: 1,
  payload: PAYLOAD,
  timeoutMs: TIMEOUT_MS,
  cost: 2,
  schedulable: true,
  dedupeKey: ({ connection_id }) => connection_id,
});

export const CONNECTION_JOBS = [INVENTORY_SYNC] as const;

/**
 * - `completed`: the outside system has no more for now
 * - `page_limit`: it has more; the next sync goes on there
 * - `paused`: the connection is; nothing (more) was asked
 * - `breaker_open`: the outside system has failed too often; nothing was asked, `retry_at` says when it is tried again
 */
export type SyncOutcome = 'completed' | 'page_limit' | 'paused' | 'breaker_open';

/** What a sync that has ended says. */
export interface SyncResult {
  readonly [field: string]: unknown;
  readonly connection_id: string;
  readonly outcome: SyncOutcome;
  readonly pages: number;
  readonly rows: number;
  /** Rows that were left out; the report names them. */
  readonly failed: number;
  readonly retry_at?: string;
}
