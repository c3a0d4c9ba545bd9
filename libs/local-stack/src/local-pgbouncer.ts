// A real PgBouncer in transaction mode in front of a local Postgres, for topology tests.
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, isPortFree } from './free-port';
import { OwnedProcess } from './owned-process';
import { unprivilegedUser } from './unprivileged-user';
import { waitFor } from './wait-for';

export interface LocalPgBouncerOptions {
  /** Path of the program. */
  readonly program: string;
  /** postgres:// URL of the server behind it; as its superuser the bouncer looks up the passwords of all others. */
  readonly serverUrl: string;
  /** Server connections a user and database: small ones force clients to share. */
  readonly poolSize: number;
}

/** A running PgBouncer. `port` answers for every database of the server and every role, whenever they were made. */
export interface LocalPgBouncer {
  readonly port: number;
  stop(): Promise<void>;
}

// PgBouncer manual, "Authentication file format".
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

export async function startLocalPgBouncer(options: LocalPgBouncerOptions): Promise<LocalPgBouncer> {
  const { hostname, port: serverPort, username, password } = new URL(options.serverUrl);
  const superuser = decodeURIComponent(username);
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'stockyard-pgbouncer-'));
  const user = unprivilegedUser();
  const users = `${quoted(superuser)} ${quoted(decodeURIComponent(password))}\n`;
  writeFileSync(join(dir, 'users.txt'), users, { mode: 0o600 });
  writeFileSync(
    join(dir, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(dir, 'users.txt')}
auth_user = ${superuser}
pool_mode = transaction
default_pool_size = ${options.poolSize}
max_client_conn = 1000
`,
  );
  chmodSync(dir, 0o700);
  if (user)
    for (const path of [dir, join(dir, 'users.txt'), join(dir, 'pgbouncer.ini')]) chownSync(path, user.uid, user.gid);
  const bouncer = await OwnedProcess.start({
    name: 'PgBouncer',
    command: options.program,
    args: [join(dir, 'pgbouncer.ini')],
    user,
    logFile: join(dir, 'log'),
    pidFile: join(dir, 'pid.json'),
    stopSignal: 'SIGTERM',
  });
  await waitFor(async () => !(await isPortFree(port)), { what: 'PgBouncer to listen' });
  return {
    port,
    stop: async () => {
      await bouncer.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
