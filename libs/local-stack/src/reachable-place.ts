// Where files of a server lie when its user cannot reach the asked place, e.g. below a home closed to others:
// a directory under the system's temporary one, named by a hash of the asked path so that the next start finds it.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ServerError } from './server-error';
import { canReach, type Notice, type SystemUser } from './unprivileged-user';

/** The stand-in for `path` under the temporary directory. It may not exist. */
export function placeUnderTmp(path: string): string {
  const hash = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 12);
  return join(tmpdir(), `stockyard-${hash}`);
}

/**
 * `directory`, or its stand-in under the temporary directory when `user` cannot reach it. The parent of the answer
 * exists; the answer itself may not. Throws a ServerError when the stand-in belongs to somebody else.
 */
export function reachableDirectory(directory: string, user: SystemUser | undefined, notice: Notice): string {
  const asked = resolve(directory);
  mkdirSync(dirname(asked), { recursive: true });
  if (canReach(user, dirname(asked))) return asked;
  const place = ownPlace(asked, user);
  notice(`The user "${user?.name ?? ''}" cannot reach ${asked}: its data is kept in ${place}`);
  return join(place, 'data');
}

/**
 * The directory of programs `directory`, or a copy of it (with everything beside it, as programs find their libraries
 * by relative path) that `user` can run. The copy is made once for each `version`.
 */
export function reachablePrograms(directory: string, version: string, user: SystemUser, notice: Notice): string {
  const place = ownPlace(directory, user);
  const copy = join(place, version);
  if (!existsSync(join(copy, '.complete'))) {
    notice(`The user "${user.name}" cannot reach ${directory}: its programs are copied to ${copy}`);
    const draft = `${copy}.${process.pid}`;
    cpSync(dirname(directory), draft, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(draft, '.complete'), '');
    try {
      renameSync(draft, copy);
    } catch {
      rmSync(draft, { recursive: true, force: true }); // another process was faster
    }
  }
  return join(copy, 'bin');
}

/** Creates `directory` (mode 0700) for the user, who then owns it. */
export function makeOwned(directory: string, user: SystemUser | undefined): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  giveTo(directory, user);
}

/** Gives a file or directory (not what is in it) to the user; does nothing without one. */
export function giveTo(path: string, user: SystemUser | undefined): void {
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}

// Anybody may write in a temporary directory: a place prepared by another user is refused, and so is a symlink.
function ownPlace(path: string, user: SystemUser | undefined): string {
  const place = placeUnderTmp(path);
  mkdirSync(place, { recursive: true, mode: 0o711 });
  const stat = lstatSync(place);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new ServerError(`${place} belongs to somebody else: remove it, or set TMPDIR to another directory.`);
  }
  chmodSync(place, 0o711);
  if (!canReach(user, place)) {
    throw new ServerError(
      `The user "${user?.name ?? ''}" can reach neither ${path} nor ${place}: set TMPDIR to a place it can.`,
    );
  }
  return place;
}
