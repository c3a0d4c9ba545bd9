/** Starts the migrator program (from dist: `npm test` builds it first) and follows what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MigrateProgress } from '#libs/database';

const PROGRAM = join(process.cwd(), 'dist/libs/database/test/migrator.js');

export class MigratorProcess {
  private output = '';
  private errors = '';
  private readonly child: ChildProcess;
  private readonly gone: Promise<unknown>;

  constructor(variables: Readonly<Record<string, string>>) {
    if (!existsSync(PROGRAM)) throw new Error('dist is missing: run `npm run build` first.');
    this.child = spawn(process.execPath, [PROGRAM], {
      env: { PATH: process.env.PATH ?? '', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (text: Buffer) => (this.output += text.toString()));
    this.child.stderr?.on('data', (text: Buffer) => (this.errors += text.toString()));
    this.gone = once(this.child, 'close');
  }

  /** What it has reported so far. */
  get steps(): MigrateProgress[] {
    const whole = this.output.slice(0, this.output.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as MigrateProgress);
  }

  /** Names of the migrations that it applied. */
  get applied(): string[] {
    return this.steps.flatMap((step) => (step.step === 'migrated' ? [step.migration] : []));
  }

  /** Resolves once it ended by itself; rejects with what it said when that was a failure. */
  async finished(): Promise<void> {
    await this.gone;
    if (this.child.exitCode !== 0) throw new Error(this.errors || `The migrator ended by ${this.child.signalCode}.`);
  }

  /** Ends it at once, wherever it is. Safe to call again. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }
}
