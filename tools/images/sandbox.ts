/**
 * Processes of this machine contained as a container would contain them: a root file system of their own, read-only, an
 * unprivileged user, no capability, no new privileges, their mounts. By bubblewrap and setpriv: there are no images, /usr is this
 * machine's, and they share its loopback. Needs root, as files have owners.
 */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type ExitStatus, OwnedProcess, StopWaiting, withLogTail } from '#libs/local-stack';

export const BUBBLEWRAP = '/usr/bin/bwrap';

/** Makes `root` a root file system that lacks nothing but what is bound into it. */
export function prepareRoot(root: string): void {
  for (const name of ['usr', 'proc', 'dev', 'etc', 'tmp', 'run', 'root'])
    mkdirSync(join(root, name), { recursive: true });
  const present = new Set(readdirSync(root));
  for (const name of ['bin', 'sbin', 'lib', 'lib64'].filter((one) => existsSync(`/${one}`) && !present.has(one))) {
    if (!lstatSync(`/${name}`).isSymbolicLink())
      throw new Error(`/${name} is no link into /usr: Debian 12 or newer is needed.`);
    symlinkSync(readlinkSync(`/${name}`), join(root, name));
  }
}

/** The names that the images give their users; initdb asks for the one of its user. */
const USERS = ['root:x:0:0', 'pgbouncer:x:70:70', 'postgres:x:999:999', 'node:x:1000:1000'];

/** What programs look for in /etc, for a root that has mounts of its own there. */
function settleEtc(root: string): void {
  const users = USERS.map((line) => `${line}::/:/bin/sh\n`).join('');
  writeFileSync(join(root, 'etc/passwd'), users);
  const shared = ['group', 'hosts', 'nsswitch.conf', 'resolv.conf', 'ld.so.cache'];
  for (const name of shared.filter((one) => existsSync(join('/etc', one))))
    copyFileSync(join('/etc', name), join(root, 'etc', name));
}

/** Arguments of bubblewrap for a root with this machine's /usr, and the root's own /usr/local where it has one. */
export function rootArguments(root: string, bind: '--bind' | '--ro-bind'): string[] {
  const local = join(root, 'usr/local');
  return [
    ...[bind, root, '/', '--ro-bind', '/usr', '/usr', ...(existsSync(local) ? [bind, local, '/usr/local'] : [])],
    ...['--dev', '/dev', '--proc', '/proc', '--unshare-pid', '--die-with-parent'],
  ];
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}

export interface Contained {
  readonly name: string;
  readonly root: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly command: readonly string[];
  /** The whole of it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly mounts: readonly Mount[];
  /** For its log. */
  readonly directory: string;
}

/** A directory as a volume or one in memory begins: empty, and somebody's. */
export function makeDirectory(path: string, { uid, gid, mode }: { uid: number; gid: number; mode: number }): string {
  mkdirSync(path, { recursive: true });
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return path;
}

/** States: running → ended, never back. */
export class ContainedProcess {
  private constructor(
    readonly name: string,
    private readonly owned: OwnedProcess,
  ) {}

  static async start({
    name,
    root,
    user,
    command,
    environment,
    workdir,
    mounts,
    directory,
  }: Contained): Promise<ContainedProcess> {
    prepareRoot(root);
    mkdirSync(directory, { recursive: true });
    settleEtc(root);
    for (const { source, target } of mounts) {
      const at = join(root, target);
      if (existsSync(at)) continue;
      mkdirSync(statSync(source).isDirectory() ? at : dirname(at), { recursive: true });
    }
    const shared = makeDirectory(join(directory, 'shm'), { uid: 0, gid: 0, mode: 0o1777 });
    const owned = await OwnedProcess.start({
      name,
      command: BUBBLEWRAP,
      args: [
        ...rootArguments(root, '--ro-bind'),
        ...['--bind', shared, '/dev/shm', '--as-pid-1', '--chdir', workdir],
        ...mounts.flatMap((mount) => [mount.writable ? '--bind' : '--ro-bind', mount.source, mount.target]),
        ...[
          'setpriv',
          `--reuid=${user.uid}`,
          `--regid=${user.gid}`,
          '--clear-groups',
          '--no-new-privs',
          '--bounding-set=-all',
        ],
        ...command,
      ],
      env: { ...environment },
      logFile: join(directory, 'log'),
      pidFile: join(directory, 'pid.json'),
      stopSignal: 'SIGTERM',
    });
    return new ContainedProcess(name, owned);
  }

  get isRunning(): boolean {
    return this.owned.running;
  }

  /** The process itself: the only child of bubblewrap. */
  get pid(): number {
    this.requireRunning();
    const { pid } = this.owned;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }

  get log(): string {
    return readFileSync(this.owned.options.logFile, 'utf8');
  }

  /** Fulfilled when it ended; never rejected. */
  get exited(): Promise<ExitStatus> {
    return this.owned.exited;
  }

  /** Throws with the end of its log where it has ended. */
  requireRunning(): void {
    if (!this.owned.running) throw new StopWaiting(withLogTail(`${this.name} ended`, this.owned.options.logFile));
  }

  /** The signal goes to the process, as from `docker stop`. */
  async stop(signal: NodeJS.Signals): Promise<ExitStatus> {
    process.kill(this.pid, signal);
    return this.owned.exited;
  }

  async kill(): Promise<void> {
    if (this.owned.running) await this.owned.kill('SIGKILL');
  }
}
