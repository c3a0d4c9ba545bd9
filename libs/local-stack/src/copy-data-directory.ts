// Copies the files of a running Postgres between pg_backup_start and pg_backup_stop.
import { copyFile, lchown, mkdir, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ServerError } from './server-error';
import type { SystemUser } from './unprivileged-user';

// As pg_basebackup does (src/backend/backup/basebackup.c): what the server makes itself is left out, but the
// directories must be there; the log comes from the primary by streaming.
const EMPTY = new Set([
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);
const LEFT_OUT = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'backup_label',
  'tablespace_map',
  'backup_manifest',
  'postgresql.auto.conf.tmp',
  'standby.signal',
  'recovery.signal',
]);
const CONTROL_FILE = join('global', 'pg_control');

/** `to` must exist. Files that vanish meanwhile are left out: the log tells the replica what became of them. */
export async function copyDataDirectory(from: string, to: string, user: SystemUser | undefined): Promise<void> {
  if ((await readdir(join(from, 'pg_tblspc'))).length > 0) {
    throw new ServerError('A local replica cannot be made of a Postgres with tablespaces.');
  }
  const files: string[] = [];
  const own = async (path: string) => {
    if (user !== undefined) await lchown(path, user.uid, user.gid);
  };
  const walk = async (directory: string): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      const name = relative(from, path);
      if (entry.isDirectory()) {
        if (entry.name.startsWith('pgsql_tmp')) continue;
        await mkdir(join(to, name), { mode: 0o700 });
        await own(join(to, name));
        if (!EMPTY.has(name)) await walk(path);
      } else if (entry.isFile() && !LEFT_OUT.has(name) && !entry.name.startsWith('pg_internal.init')) {
        files.push(name);
      }
    }
  };
  await walk(from);
  const copy = async (name: string): Promise<void> => {
    try {
      await copyFile(join(from, name), join(to, name));
      await own(join(to, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  };
  // Eight at a time; the control file last, as pg_basebackup does.
  const queue = files.filter((name) => name !== CONTROL_FILE);
  const lane = async () => {
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) await copy(name);
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  await copy(CONTROL_FILE);
}
