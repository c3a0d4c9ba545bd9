/** The counting worker as a process of its own, from dist. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const PROGRAM = join(process.cwd(), 'dist/libs/queues/test/counting-worker.js');

export class CountingProcess {
  private constructor(private readonly child: ChildProcess) {}

  /** Resolves when it works. */
  static async start(variables: Readonly<Record<string, string>>): Promise<CountingProcess> {
    const child = spawn(process.execPath, [PROGRAM], {
      env: { PATH: process.env.PATH ?? '', ...variables },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('The worker ended before it worked.'))),
    ]);
    return new CountingProcess(child);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
