// Runs one program of Postgres to its end: initdb, pg_basebackup.
import { spawn } from 'node:child_process';
import { ServerError } from './server-error';
import type { SystemUser } from './unprivileged-user';

export interface PostgresProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly user: SystemUser | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

/** This process's environment without what would steer Postgres' programs elsewhere (PGPORT, PGDATA, …). */
export function postgresEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', HOME: '/', ...extra };
}

/** Rejects with a ServerError that holds the program's own output when it fails. */
export function runPostgresProgram({ command, args, user, env }: PostgresProgram): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: '/',
      env: postgresEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    let output = '';
    const collect = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (cause) => reject(new ServerError(`${command} does not run: ${cause.message}`, { cause })));
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(new ServerError(`${command} failed (${signal ?? `exit code ${String(code)}`}):\n${output.trimEnd()}`));
    });
  });
}
