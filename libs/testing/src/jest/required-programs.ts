/** Programs of the operating system that the topology specs need, and how Debian installs them. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface RequiredProgram {
  readonly name: string;
  /** Debian package. */
  readonly package: string;
  /** Directories besides the PATH. */
  readonly also?: readonly string[];
}

export const OLDEST_POSTGRES = '/usr/lib/postgresql/15/bin';

export const REQUIRED_PROGRAMS: readonly RequiredProgram[] = [
  { name: 'pgbouncer', package: 'pgbouncer', also: ['/usr/sbin'] },
  { name: 'redis-server', package: 'redis-server' },
  { name: 'promtool', package: 'prometheus' },
  { name: 'amtool', package: 'prometheus-alertmanager' },
  { name: 'chromium', package: 'chromium' },
  { name: 'bwrap', package: 'bubblewrap' },
  { name: 'go', package: 'golang-go', also: ['/usr/local/go/bin'] },
  { name: 'nginx', package: 'nginx-light', also: ['/usr/sbin'] },
  { name: 'haproxy', package: 'haproxy', also: ['/usr/sbin'] },
  { name: 'curl', package: 'curl' },
  { name: 'openssl', package: 'openssl' },
  { name: 'patroni', package: 'patroni' },
  { name: 'etcd', package: 'etcd-server' },
  { name: 'initdb', package: 'postgresql-15', also: [OLDEST_POSTGRES] },
];

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where a required program is; undefined where it is missing. */
export function findProgram({ name, also = [] }: RequiredProgram): string | undefined {
  const directories = [...also, ...(process.env.PATH ?? '').split(delimiter)];
  return directories.map((directory) => join(directory, name)).find(executable);
}

/** Throws with the line that installs what is missing. */
export function requirePrograms(programs: readonly RequiredProgram[] = REQUIRED_PROGRAMS): void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => program.package))].join(' ');
  throw new Error(
    `Missing: ${missing.map((program) => program.name).join(', ')}. Install with:\n  apt-get install -y --no-install-recommends ${packages}`,
  );
}
