// Who a process id belongs to now: a pid alone is not an identity, because the system gives it out again.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process as the system knows it; two readings of one process are equal, those of two processes never are. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own form: only to be compared. */
  readonly startedAt: string;
  readonly commandLine: string;
}

/** The process with this id, or undefined when there is none (a zombie, which only waits to be collected, is none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  } catch {
    return undefined;
  }
}

/** Whether the process that `known` describes is still there, and not another one under its id. */
export function isAlive(known: ProcessIdentity): boolean {
  const now = identifyProcess(known.pid);
  return now !== undefined && now.startedAt === known.startedAt && now.commandLine === known.commandLine;
}

// proc(5): field 2 of stat is the command in parentheses, 3 the state, 22 the start in clock ticks since boot.
function fromProc(pid: number): ProcessIdentity | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  return { pid, startedAt: `${boot}:${fields[19] ?? ''}`, commandLine };
}

function fromPs(pid: number): ProcessIdentity | undefined {
  const ask = (column: string) =>
    execFileSync('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  if (ask('stat').startsWith('Z')) return undefined;
  return { pid, startedAt: ask('lstart'), commandLine: ask('command') };
}
