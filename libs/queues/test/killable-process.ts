/** A program of this folder as a process of its own, from dist. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const PROGRAMS = join(process.cwd(), 'dist/libs/queues/test');

export class KillableProcess {
  private constructor(private readonly child: ChildProcess) {}

  /** Resolves when it works. */
  static async start(program: string, variables: Readonly<Record<string, string>>): Promise<KillableProcess> {
    const child = spawn(process.execPath, [join(PROGRAMS, `${program}.js`)], {
      env: { PATH: process.env.PATH ?? '', ...variables },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error(`${program} ended before it worked.`))),
    ]);
    return new KillableProcess(child);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
