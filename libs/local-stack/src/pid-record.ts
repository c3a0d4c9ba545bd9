// A file that says which process a server is and who started it, so that the next start can end what a killed
// parent left behind, and nothing else.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity';
import { ServerError } from './server-error';
import { waitFor } from './wait-for';

export interface PidRecord {
  readonly child: ProcessIdentity;
  readonly parent: ProcessIdentity;
}

/** Records that this process started `pid`. Does nothing when the process is gone already. */
export function writePidRecord(file: string, pid: number): void {
  const child = identifyProcess(pid);
  const parent = identifyProcess(process.pid);
  if (child === undefined || parent === undefined) return;
  mkdirSync(dirname(file), { recursive: true });
  const record: PidRecord = { child, parent };
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removePidRecord(file: string): void {
  rmSync(file, { force: true });
}

/** The record in `file`, or undefined when there is none or it cannot be read. */
export function readPidRecord(file: string): PidRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isPidRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes way for a new process under this record: ends the recorded one when it is still the same process and its
 * parent is gone. Throws a ServerError when its parent still runs: then the server is in use, not left behind.
 */
export async function endLeftBehind(file: string, stopSignal: NodeJS.Signals, timeoutMs = 15_000): Promise<boolean> {
  const record = readPidRecord(file);
  if (record === undefined || !isAlive(record.child)) {
    removePidRecord(file);
    return false;
  }
  const { child, parent } = record;
  if (isAlive(parent)) {
    throw new ServerError(`In use: process ${child.pid} was started by process ${parent.pid}, which still runs.`);
  }
  const gone = (ms: number) =>
    waitFor(() => !isAlive(child), { what: `process ${child.pid}, left behind, to end`, timeoutMs: ms });
  send(child, stopSignal);
  await gone(timeoutMs).catch(() => {
    send(child, 'SIGKILL');
    return gone(5_000);
  });
  removePidRecord(file);
  return true;
}

function send(target: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isAlive(target)) process.kill(target.pid, signal);
  } catch {
    // It ended in between.
  }
}

function isPidRecord(value: unknown): value is PidRecord {
  const { child, parent } = (value ?? {}) as { child?: unknown; parent?: unknown };
  return isIdentity(child) && isIdentity(parent);
}

function isIdentity(value: unknown): value is ProcessIdentity {
  const { pid, startedAt, commandLine } = (value ?? {}) as Partial<Record<keyof ProcessIdentity, unknown>>;
  return typeof pid === 'number' && typeof startedAt === 'string' && typeof commandLine === 'string';
}
