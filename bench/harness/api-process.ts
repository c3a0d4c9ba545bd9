/** The api as it is deployed: a process of its own, built, on a port of its own, over an environment's servers. */
import { join, resolve } from 'node:path';
import { freePort, OwnedProcess, StopWaiting, waitFor, withLogTail } from '#libs/local-stack';
import type { TestEnvironment } from '#libs/testing';

/** dist/bench/harness → dist. */
const DIST = resolve(__dirname, '..', '..');
const START_MS = 30_000;

export interface ApiProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Resolves when `/ready` answers. Rejects where the process ends before, naming its log. */
export async function startApiProcess(environment: TestEnvironment): Promise<ApiProcess> {
  const port = await freePort();
  const directory = environment.config.STORAGE_DIR;
  const logFile = join(directory, 'api.log');
  const api = await OwnedProcess.start({
    name: 'api',
    command: process.execPath,
    args: [join(DIST, 'apps', 'api', 'src', 'main.js')],
    env: { ...process.env, ...environment.variables, API_PORT: String(port), LOG_LEVEL: 'warn' },
    logFile,
    pidFile: join(directory, 'api.pid.json'),
    stopSignal: 'SIGTERM',
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await api.stop();
  };
  const answers = async (): Promise<boolean> => {
    if (!api.running) throw new StopWaiting(withLogTail('The api ended before it was ready', logFile));
    return (await fetch(`${url}/ready`)).ok;
  };
  try {
    await waitFor(answers, { what: 'the api to be ready', timeoutMs: START_MS });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}
