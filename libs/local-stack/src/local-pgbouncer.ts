// A real PgBouncer in transaction mode in front of a local Postgres, for topology tests.
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort, isPortFree } from './free-port';
import { OwnedProcess } from './owned-process';
import { unprivilegedUser } from './unprivileged-user';
import { waitFor } from './wait-for';

export interface LocalPgBouncerOptions {
  /** Path of the program. */
  readonly program: string;
  /** postgres:// URL of the server behind it; its superuser reads the passwords of the others for the bouncer. */
  readonly serverUrl: string;
  /** Server connections a user and database: small ones force clients to share. */
  readonly poolSize: number;
}

/** A running PgBouncer. `port` answers for every database of the server. */
export interface LocalPgBouncer {
  readonly port: number;
  stop(): Promise<void>;
}

async function userList(serverUrl: string): Promise<string> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ usename: string; passwd: string }>(
      'select usename, passwd from pg_shadow where passwd is not null',
    );
    return rows.map(({ usename, passwd }) => `"${usename}" "${passwd}"\n`).join('');
  } finally {
    await client.end();
  }
}

export async function startLocalPgBouncer(options: LocalPgBouncerOptions): Promise<LocalPgBouncer> {
  const { hostname, port: serverPort } = new URL(options.serverUrl);
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'stockyard-pgbouncer-'));
  const user = unprivilegedUser();
  writeFileSync(join(dir, 'users.txt'), await userList(options.serverUrl), { mode: 0o600 });
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
pool_mode = transaction
default_pool_size = ${options.poolSize}
max_client_conn = 500
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
