// The slot by which a primary keeps the log that an absent replica will need.
import type { Client } from 'pg';
import { queryOnce, withClient, type PostgresAddress } from './postgres-client';
import { waitFor } from './wait-for';

/** `kept`: a replica can go on from it. `missing`: there is none, or the primary gave up on it. */
export type SlotState = 'kept' | 'missing';

export async function slotState(primary: PostgresAddress, slot: string): Promise<SlotState> {
  const rows = await queryOnce<{ wal_status: string | null }>(
    primary,
    'SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
  const status = rows[0]?.wal_status ?? null;
  return status === null || status === 'lost' ? 'missing' : 'kept';
}

/** Whether a replica streams from this slot now. */
export async function isStreaming(primary: PostgresAddress, slot: string): Promise<boolean> {
  const rows = await queryOnce(
    primary,
    `SELECT 1 FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid
      WHERE s.slot_name = $1 AND r.state IN ('streaming', 'catchup')`,
    [slot],
  );
  return rows.length > 0;
}

/** Makes the slot anew; it keeps the log from this moment on. */
export function recreateSlot(primary: PostgresAddress, slot: string): Promise<void> {
  return withClient(primary, async (client) => {
    await drop(client, slot);
    await client.query('SELECT pg_create_physical_replication_slot($1, true)', [slot]);
  });
}

/** Makes the slot where there is none; one that is there keeps its place in the log. */
export async function ensureSlot(primary: PostgresAddress, slot: string): Promise<void> {
  const missing = 'WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1::name)';
  await queryOnce(primary, `SELECT pg_create_physical_replication_slot($1, true) ${missing}`, [slot]);
}

/** Drops the slot; nothing happens when there is none. */
export function dropSlot(primary: PostgresAddress, slot: string): Promise<void> {
  return withClient(primary, (client) => drop(client, slot));
}

// A replica that was just killed may still hold its slot for a moment.
async function drop(client: Client, slot: string): Promise<void> {
  await waitFor(
    async () => {
      await client.query(
        'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active',
        [slot],
      );
      await client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1', [
        slot,
      ]);
      return true;
    },
    { what: `replication slot ${slot} to be free`, timeoutMs: 10_000, intervalMs: 100 },
  );
}
