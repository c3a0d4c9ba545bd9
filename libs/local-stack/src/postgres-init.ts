// Creates the data directory of a primary. It appears under its name only when it is complete.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresBinaries } from './postgres-binaries';
import { SUPERUSER } from './postgres-client';
import { runPostgresProgram } from './postgres-program';
import { SETTINGS_FILE } from './postgres-settings';
import { giveTo, makeOwned } from './reachable-place';
import type { SystemUser } from './unprivileged-user';

export interface InitOptions {
  readonly binaries: PostgresBinaries;
  readonly dataDir: string;
  readonly password: string;
  readonly user: SystemUser | undefined;
  /** Do not wait for the disk. */
  readonly throwaway: boolean;
}

/** Rejects with a ServerError that holds initdb's output; nothing is left under `dataDir` then. */
export async function initPostgres({ binaries, dataDir, password, user, throwaway }: InitOptions): Promise<void> {
  const draft = `${dataDir}.new`;
  rmSync(draft, { recursive: true, force: true });
  makeOwned(draft, user);
  const secret = mkdtempSync(join(tmpdir(), 'stockyard-init-'));
  try {
    giveTo(secret, user);
    const passwordFile = join(secret, 'password');
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    giveTo(passwordFile, user);
    const args = [
      `--pgdata=${draft}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth-local=scram-sha-256',
      '--auth-host=scram-sha-256',
      '--encoding=UTF8',
      ...localeArguments(binaries.major),
      '--no-instructions',
      ...(throwaway ? ['--no-sync'] : []),
    ];
    await runPostgresProgram({ command: binaries.initdb, args, user });
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(secret, { recursive: true, force: true });
  }
  appendFileSync(join(draft, 'postgresql.conf'), `\ninclude_if_exists = '${SETTINGS_FILE}'\n`);
  renameSync(draft, dataDir);
}

// Sorting by code point and Unicode case mapping, the same on every machine: built in since 17, from the system's
// library before, where it has that locale (macOS has not: then only ASCII letters know their case).
function localeArguments(major: number): string[] {
  if (major >= 17) return ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const { error, stdout } = spawnSync('locale', ['-a'], { encoding: 'utf8' });
  const known = (error === undefined ? stdout : '').split('\n').find((name) => /^C\.utf-?8$/i.test(name.trim()));
  return [`--locale=${known?.trim() ?? 'C'}`];
}
