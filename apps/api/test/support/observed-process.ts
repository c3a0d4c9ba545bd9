/** The api, the worker or metrics as a process of its own, from dist (`npm test` builds it first), with everything that it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, waitFor } from '#libs/testing';
import type { RunningApi } from './api-fixture';

type ProcessName = 'api' | 'worker' | 'metrics';

export class ObservedProcess implements RunningApi {
  private readonly said: Buffer[] = [];
  private readonly exited: Promise<unknown>;

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {
    this.exited = once(child, 'close');
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (bytes: Buffer) => this.said.push(bytes));
  }

  /** Does not wait for anything: it may be meant to fail. `at`: its port, where others know it by that. */
  static async spawn(
    name: ProcessName,
    variables: Readonly<Record<string, string>>,
    at?: number,
  ): Promise<ObservedProcess> {
    const program = join(process.cwd(), `dist/apps/${name}/src/main.js`);
    if (!existsSync(program)) throw new Error('dist is missing: run `npm run build` first.');
    const port = String(at ?? (await freePort()));
    const child = spawn(process.execPath, [program], {
      env: { PATH: process.env.PATH ?? '', ...variables, [`${name.toUpperCase()}_PORT`]: port },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ObservedProcess(child, `http://127.0.0.1:${port}`);
  }

  /** Resolves when it is ready. */
  static async start(
    name: ProcessName,
    variables: Readonly<Record<string, string>>,
    at?: number,
  ): Promise<ObservedProcess> {
    const started = await ObservedProcess.spawn(name, variables, at);
    const answers = () => fetch(`${started.url}/ready`).then((response) => response.ok);
    await waitFor(answers, { what: `the ${name} to be ready`, timeoutMs: 45_000 }).catch(async (error: unknown) => {
      await started.stop();
      throw new Error(`${(error as Error).message}\n${started.output}`);
    });
    return started;
  }

  /** On stdout and stderr, so far. */
  get output(): string {
    return Buffer.concat(this.said).toString();
  }

  /** The lines that are JSON. */
  get lines(): Record<string, unknown>[] {
    const texts = this.output.split('\n').filter((text) => text.startsWith('{') && text.endsWith('}'));
    return texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  /** Resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.exited;
  }

  /** It answers nothing any more, and its connections stay. Not to be stopped before it has gone on. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  goOn(): void {
    this.child.kill('SIGCONT');
  }

  /** At once, whatever it is about. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
