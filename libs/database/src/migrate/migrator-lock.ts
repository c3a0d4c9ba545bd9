/**
 * One migrator at a time: a session advisory lock, so it ends with its connection however the process ends.
 *
 * It is asked for again and again instead of waited for: a session that waits for it inside a statement holds a snapshot, and
 * `create index concurrently` of the session that has it would wait for that snapshot, each for the other.
 */
import { setTimeout as delay } from 'node:timers/promises';

const LOCK_KEYS = {
  /** Taken in the maintenance database: roles and databases. */
  cluster: 7_203_114_001,
  /** Taken in the database itself: its migrations. Another key, because that may be the maintenance database. */
  database: 7_203_114_003,
} as const;
const POLL_MS = 200;

/** Runs one statement and answers its rows. */
export type AskForRows = (sql: string, values: unknown[]) => Promise<unknown[]>;

/** Resolves once the session has the lock. `onWait` is called once when another session has it. */
export async function takeMigratorLock(of: keyof typeof LOCK_KEYS, ask: AskForRows, onWait: () => void): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const [row] = (await ask('select pg_try_advisory_lock($1) as taken', [LOCK_KEYS[of]])) as [{ taken: boolean }];
    if (row.taken) return;
    if (attempt === 1) onWait();
    await delay(POLL_MS * (0.5 + Math.random()));
  }
}
