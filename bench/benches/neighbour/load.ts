/** A load process from its parent's side. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import type { LoadPlan, LoadReport } from './load-plan';

export class Load implements AsyncDisposable {
  private readonly child: ChildProcess;

  /** `givesWay`: to all other processes of the machine, as if it had one of its own; it still sends all that it is told to. */
  constructor({ givesWay = false } = {}) {
    this.child = fork(join(__dirname, 'load-process.js'), { serialization: 'advanced' });
    if (givesWay) setPriority(this.pid, constants.priority.PRIORITY_LOW);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** One plan at a time. Rejects where the process ended instead. */
  run(plan: LoadPlan): Promise<LoadReport> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('A load process ended before its report.'));
      this.child.once('exit', ended);
      this.child.once('message', (report) => {
        this.child.off('exit', ended);
        resolve(report as LoadReport);
      });
      this.child.send(plan);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}
