// The processes of Stockyard itself: how each is run, logged and stopped.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeExit, OwnedProcess } from '#libs/local-stack';
import type { StackPart } from './part';
import { StackError } from './stack-error';

export interface Program {
  readonly name: string;
  /** The built entry file, seen from the root of the checkout. */
  readonly entry: string;
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly pidFile: string;
}

const STOP_TIMEOUT_MS = 15_000;

/** Starts a program on the Node that runs this. Throws a StackError when it is not built. */
export async function startProgram({ name, entry, root, env, logFile, pidFile }: Program): Promise<StackPart> {
  const path = join(root, entry);
  if (!existsSync(path)) throw new StackError(`${entry} is missing: run npm run build.`);
  const started = await OwnedProcess.start({
    name,
    command: process.execPath,
    args: ['--v8-pool-size=0', path], // as the images have it
    cwd: root,
    env,
    logFile,
    pidFile,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: STOP_TIMEOUT_MS,
  });
  const ended = started.exited.then(describeExit);
  return { name, pid: started.pid, logFile, replaceable: false, ended, stop: () => started.stop() };
}
