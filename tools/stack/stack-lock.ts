// One stack per directory: a lock file that names its process, and outlives it harmlessly.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { identifyProcess, isAlive, type ProcessIdentity } from '#libs/local-stack';
import { StackError } from './stack-error';
import type { StateDirectory } from './state-directory';

const NAME = 'stack.pid.json';

/** Takes the lock and answers how to release it. Throws a StackError while another stack holds it. */
export function lockStack(state: StateDirectory): () => void {
  const file = state.file(NAME);
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, JSON.stringify(identifyProcess(process.pid)), { flag: 'wx', mode: 0o600 });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 3) throw error;
    }
    const holder = readHolder(file);
    if (holder !== undefined && isAlive(holder)) {
      throw new StackError(
        `A stack runs already with ${state.shown()} (process ${holder.pid}): stop it first, ` +
          'or set STOCKYARD_DIR, API_PORT, WORKER_PORT and METRICS_PORT for another one beside it.',
      );
    }
    rmSync(file, { force: true });
  }
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessIdentity> | null;
    const { pid, startedAt, commandLine } = value ?? {};
    if (pid === undefined || startedAt === undefined || commandLine === undefined) return undefined;
    return { pid, startedAt, commandLine };
  } catch {
    return undefined;
  }
}
