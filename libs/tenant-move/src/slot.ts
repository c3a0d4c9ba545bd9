/**
 * Replication slots of a move. The name follows from the tenant, so that whoever goes on with a move finds it, and two moves
 * of one tenant cannot hold one each.
 */
import { type Client, escapeIdentifier } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { connectMover, sqlState } from './connection';
import { parseLsn } from './decode/lsn';

const OBJECT_IN_USE = '55006';
const UNDEFINED_OBJECT = '42704';
const RELEASE_MS = 10_000;
const RETRY_MS = 20;

/** Name of a tenant's slot and of its publication. */
export const moveName = (tenant: string) => `stockyard_move_${tenant.replaceAll('-', '')}`;

export interface SnapshotSlot {
  /** The connection that exports the snapshot: it lasts until the next statement on it, or its end. */
  readonly client: Client;
  readonly snapshot: string;
  /** The snapshot sees exactly the transactions that committed before; the slot sends exactly the others. */
  readonly consistentAt: bigint;
}

/** Waits for the transactions that are under way on the source. A temporary slot goes with its connection. */
export async function createSlot(
  url: string,
  name: string,
  options: { readonly temporary: boolean },
): Promise<SnapshotSlot> {
  const client = await connectMover(url, { replication: true });
  try {
    const { rows } = await client.query<{ consistent_point: string; snapshot_name: string }>(
      `CREATE_REPLICATION_SLOT ${escapeIdentifier(name)} ${options.temporary ? 'TEMPORARY' : ''} LOGICAL pgoutput (SNAPSHOT 'export')`,
    );
    return { client, snapshot: rows[0]!.snapshot_name, consistentAt: parseLsn(rows[0]!.consistent_point) };
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** True while the source keeps everything from `position` on for the slot. */
export async function slotHolds(source: Client, name: string, position: bigint): Promise<boolean> {
  const { rows } = await source.query<{ confirmed: string | null; status: string | null }>(
    'select confirmed_flush_lsn::text as confirmed, wal_status as status from pg_replication_slots where slot_name = $1',
    [name],
  );
  const slot = rows[0];
  if (!slot?.confirmed || slot.status === 'lost') return false;
  return parseLsn(slot.confirmed) <= position;
}

/** Ends whoever reads the slot: a connection of the same role, of a process that was thought dead or that died just now. */
export async function freeSlot(source: Client, name: string): Promise<void> {
  const deadline = performance.now() + RELEASE_MS;
  for (;;) {
    const { rowCount } = await source.query(
      'select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active_pid is not null',
      [name],
    );
    if (!rowCount) return;
    if (performance.now() > deadline) throw new Error(`The replication slot ${name} stays in use.`);
    await delay(RETRY_MS);
  }
}

/** Harmless where there is none. */
export async function dropSlot(source: Client, name: string): Promise<void> {
  const deadline = performance.now() + RELEASE_MS;
  for (;;) {
    await freeSlot(source, name);
    try {
      await source.query('select pg_drop_replication_slot($1)', [name]);
      return;
    } catch (error) {
      if (sqlState(error) === UNDEFINED_OBJECT) return;
      if (sqlState(error) !== OBJECT_IN_USE || performance.now() > deadline) throw error;
    }
    await delay(RETRY_MS);
  }
}
