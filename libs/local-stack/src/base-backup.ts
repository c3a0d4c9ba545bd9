// Copies a running primary into the data directory of a replica, which then only has to be configured.
import { rmSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyDataDirectory } from './copy-data-directory';
import type { PostgresBinaries } from './postgres-binaries';
import { SUPERUSER, withClient } from './postgres-client';
import { runPostgresProgram } from './postgres-program';
import { giveTo, makeOwned } from './reachable-place';
import type { SystemUser } from './unprivileged-user';

export interface BaseBackupOptions {
  readonly binaries: PostgresBinaries;
  readonly primaryPort: number;
  readonly primaryDataDir: string;
  readonly password: string;
  /** A replication slot that exists and keeps the log from before the backup on. */
  readonly slot: string;
  readonly dataDir: string;
  readonly user: SystemUser | undefined;
}

/** The copy appears under `dataDir` only when it is complete. Rejects with a ServerError. */
export async function takeBaseBackup(options: BaseBackupOptions): Promise<void> {
  const { dataDir, user, binaries } = options;
  const draft = `${dataDir}.new`;
  rmSync(draft, { recursive: true, force: true });
  makeOwned(draft, user);
  try {
    if (binaries.pgBasebackup === undefined) await copyByHand(draft, options);
    else await runBaseBackup(binaries.pgBasebackup, draft, options);
    writeFileSync(join(draft, 'standby.signal'), '');
    giveTo(join(draft, 'standby.signal'), user);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(draft, dataDir);
}

function runBaseBackup(command: string, draft: string, options: BaseBackupOptions): Promise<void> {
  const { primaryPort, password, slot, user } = options;
  return runPostgresProgram({
    command,
    args: [
      `--pgdata=${draft}`,
      '--host=127.0.0.1',
      `--port=${primaryPort}`,
      `--username=${SUPERUSER}`,
      '--no-password',
      '--checkpoint=fast',
      '--wal-method=stream',
      `--slot=${slot}`,
      '--no-sync',
    ],
    user,
    env: { PGPASSWORD: password, PGSSLMODE: 'disable' },
  });
}

// PostgreSQL manual, 25.3.4, "Making a Base Backup Using the Low Level API". The session must stay open all along.
async function copyByHand(draft: string, options: BaseBackupOptions): Promise<void> {
  const { primaryPort: port, password, primaryDataDir, user } = options;
  await withClient({ port, password }, async (client) => {
    await client.query(`SELECT pg_backup_start('stockyard replica', fast => true)`);
    await copyDataDirectory(primaryDataDir, draft, user);
    const { rows } = await client.query<{ labelfile: string }>(
      'SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)',
    );
    const label = join(draft, 'backup_label');
    writeFileSync(label, rows[0]?.labelfile ?? '', { mode: 0o600 });
    giveTo(label, user);
  });
}
