/**
 * Transactions on one tenant's rows outside of the lanes, for what takes a tenant as a whole: as stockyard_mover, behind the
 * same wall, on a connection of its own.
 */
import type { ClientBase } from 'pg';

/** A change waits this long for writers under way, and for another change of the same tenant. */
const LOCK_TIMEOUT_MS = 10_000;

export interface TenantView {
  /** REPEATABLE READ, READ ONLY instead of READ COMMITTED. */
  readonly repeatable?: boolean;
  /** One that another session exported; only with `repeatable`. */
  readonly snapshot?: string;
}

/** Opens a transaction that sees the rows of one tenant, in one round trip. The caller ends it, also where this rejects. */
export async function beginAsTenant(client: ClientBase, tenant: string, view: TenantView = {}): Promise<void> {
  const snapshot = view.snapshot ? `set transaction snapshot ${client.escapeLiteral(view.snapshot)};` : '';
  await client.query(
    `begin isolation level ${view.repeatable ? 'repeatable read read only' : 'read committed'}; ${snapshot}
     select set_config('app.tenant_id', ${client.escapeLiteral(tenant)}, true)`,
  );
}

/** Commits when `work` resolves, and rolls back when it rejects. */
export function inTenantTransaction<T>(client: ClientBase, tenant: string, work: () => Promise<T>): Promise<T> {
  return inTransaction(client, () => beginAsTenant(client, tenant), work);
}

/** What `work` reads is one state of the database: REPEATABLE READ, READ ONLY. */
export function inTenantSnapshot<T>(client: ClientBase, tenant: string, work: () => Promise<T>): Promise<T> {
  return inTransaction(client, () => beginAsTenant(client, tenant, { repeatable: true }), work);
}

/**
 * Changes rows of a tenant that no one else may write at the time: holds the lock that writers share, so two changes of one
 * tenant never run beside each other, not even when the process of the first is gone and its server side still works.
 */
export function inTenantChange<T>(client: ClientBase, tenant: string, work: () => Promise<T>): Promise<T> {
  return inTenantTransaction(client, tenant, async () => {
    await drainWriters(client, tenant, LOCK_TIMEOUT_MS);
    return work();
  });
}

/**
 * Resolves when no writer of the tenant is under way; until the transaction ends, which the caller has opened, no other one
 * begins. Rejects with 55P03 (lock_not_available) when that takes longer. The timeout holds for what follows it, too.
 */
export async function drainWriters(client: ClientBase, tenant: string, lockTimeoutMs: number): Promise<void> {
  await client.query("select set_config('lock_timeout', $1, true)", [`${lockTimeoutMs}ms`]);
  await client.query('select drain_writers($1)', [tenant]);
}

async function inTransaction<T>(client: ClientBase, begin: () => Promise<void>, work: () => Promise<T>): Promise<T> {
  try {
    await begin();
    const result = await work();
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') throw new Error('The transaction was rolled back although no error was raised.');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // a connection that is gone has rolled back by itself
    throw error;
  }
}
