// Postgres refuses to run as root. As root, its servers therefore run as the system's "postgres" user.
import { spawnSync } from 'node:child_process';
import { ServerError } from './server-error';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Told to the person who waits, e.g. that data lies elsewhere than asked. */
export type Notice = (line: string) => void;

const NAME = 'postgres';

// shadow-utils (most Linux), then busybox (Alpine).
const CREATE: readonly (readonly [string, ...string[]])[] = [
  ['useradd', '--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', NAME],
  ['adduser', '-S', '-D', '-H', NAME],
];

/**
 * The user that Postgres runs as: undefined for an ordinary user, who runs it himself; for root the "postgres" user,
 * which is made when the system has none. Throws a ServerError when it cannot be made.
 */
export function unprivilegedUser(notice: Notice = () => undefined): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const present = lookUp();
  if (present !== undefined) return present;
  for (const [command, ...args] of CREATE) spawnSync(command, args, { stdio: 'ignore' });
  const made = lookUp();
  if (made === undefined) {
    throw new ServerError(
      `Postgres does not run as root, and a system user "${NAME}" could not be made: add one (useradd --system ${NAME}), ` +
        'run as an ordinary user, or set DATABASE_URL to a server of your own.',
    );
  }
  notice(`Postgres does not run as root: made the system user "${NAME}" for it`);
  return made;
}

/** Whether `user` (undefined: this process) can enter or execute `path`. */
export function canReach(user: SystemUser | undefined, path: string): boolean {
  const identity = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  return spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...identity, cwd: '/' }).status === 0;
}

function lookUp(): SystemUser | undefined {
  const id = (flag: string) => {
    const { status, stdout } = spawnSync('id', [flag, NAME], { encoding: 'utf8' });
    return status === 0 ? Number.parseInt(stdout, 10) : Number.NaN;
  };
  const [uid, gid] = [id('-u'), id('-g')];
  return Number.isInteger(uid) && Number.isInteger(gid) ? { name: NAME, uid, gid } : undefined;
}
