/** A process as it is deployed: built, on a port of its own, over an environment's servers. */
import { join, resolve } from 'node:path';
import { freePort, OwnedProcess, StopWaiting, waitFor, withLogTail } from '#libs/local-stack';
import type { TestEnvironment } from '#libs/testing';

/** dist/bench/harness → dist. */
const DIST = resolve(__dirname, '..', '..');
const START_MS = 30_000;

export interface PlatformProcess {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** `flags`: of node. */
export const startApiProcess = (
  environment: TestEnvironment,
  flags: readonly string[] = [],
): Promise<PlatformProcess> => start('api', environment, flags);
export const startWorkerProcess = (
  environment: TestEnvironment,
  flags: readonly string[] = [],
): Promise<PlatformProcess> => start('worker', environment, flags);

/** Resolves when `/ready` answers. Rejects where the process ends before, naming its log. */
async function start(
  app: 'api' | 'worker',
  environment: TestEnvironment,
  flags: readonly string[],
): Promise<PlatformProcess> {
  const port = await freePort();
  const directory = environment.config.STORAGE_DIR;
  const logFile = join(directory, `${app}.log`);
  const owned = await OwnedProcess.start({
    name: app,
    command: process.execPath,
    args: ['--v8-pool-size=0', ...flags, join(DIST, 'apps', app, 'src', 'main.js')],
    env: {
      ...process.env,
      ...environment.variables,
      API_PORT: String(port),
      WORKER_PORT: String(port),
      LOG_LEVEL: 'warn',
    },
    logFile,
    pidFile: join(directory, `${app}.pid.json`),
    stopSignal: 'SIGTERM',
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await owned.stop();
  };
  const answers = async (): Promise<boolean> => {
    if (!owned.running) throw new StopWaiting(withLogTail(`The ${app} ended before it was ready`, logFile));
    return (await fetch(`${url}/ready`)).ok;
  };
  try {
    await waitFor(answers, { what: `the ${app} to be ready`, timeoutMs: START_MS });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: owned.pid, stop };
}
