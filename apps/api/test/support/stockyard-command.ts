/** The command line as a process of its own, from dist, against a running api. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEnvironment } from '#libs/testing';
import type { RunningApi } from './api-fixture';

const PROGRAM = join(process.cwd(), 'dist/tools/cli/main.js');

export interface Finished {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** An operation as `--json` prints it. */
export interface PrintedOperation {
  readonly id: string;
  readonly state: string;
  readonly result: Readonly<Record<string, number | string>>;
}

/** Runs `stockyard tenant …` to its end. */
export async function stockyard(env: TestEnvironment, api: RunningApi, ...argv: string[]): Promise<Finished> {
  if (!existsSync(PROGRAM)) throw new Error('dist is missing: run `npm run build` first.');
  const args = [PROGRAM, 'tenant', ...argv, '--api', api.url, '--admin-token', env.config.ADMIN_TOKEN];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  await once(child, 'close');
  return { status: child.exitCode, out, err };
}

/** The operation that a command with `--json` answered. Throws what it said where it did not end well. */
export function operationOf({ status, out, err }: Finished): PrintedOperation {
  if (status !== 0) throw new Error(err);
  return (JSON.parse(out) as { operation: PrintedOperation }).operation;
}
