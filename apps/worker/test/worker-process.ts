/** A worker as a process of its own, from dist (`npm test` builds it first), to be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '#libs/testing';

const PROGRAM = join(process.cwd(), 'dist/apps/worker/src/main.js');

export class WorkerProcess {
  private output = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => (this.output = (this.output + text.toString()).slice(-4_000)));
    }
  }

  /** Resolves when the process is ready. */
  static async start(
    variables: Readonly<Record<string, string>>,
    options: readonly string[] = [],
  ): Promise<WorkerProcess> {
    if (!existsSync(PROGRAM)) throw new Error('dist is missing: run `npm run build` first.');
    const child = spawn(process.execPath, [PROGRAM, ...options], {
      env: { PATH: process.env.PATH ?? '', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = new WorkerProcess(child);
    const answers = () => fetch(`http://127.0.0.1:${variables.WORKER_PORT}/ready`).then((response) => response.ok);
    await waitFor(answers, { what: 'the worker to answer', timeoutMs: 45_000 }).catch(async (error: unknown) => {
      await started.kill('SIGKILL');
      throw new Error(`${(error as Error).message}\n${started.output}`);
    });
    return started;
  }

  /** Resolves with the exit code (null after a signal) once the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      this.child.kill(signal);
      await gone;
    }
    return this.child.exitCode;
  }
}
