// `npm start`, once everything is installed and built. Exit codes: 0 stopped as asked, 1 failed, 2 wrong command line.
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { OwnedProcess, ServerError } from '#libs/local-stack';
import { parseOptions, USAGE, type StackOptions } from './options';
import { Progress } from './progress';
import { Stack } from './stack';
import { StackError } from './stack-error';
import { lockStack } from './stack-lock';
import { StateDirectory } from './state-directory';
import { StopRequest } from './stop-request';
import { summary } from './summary';

const ROOT = resolve(__dirname, '..', '..', '..');

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env, ROOT);
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const state = StateDirectory.open(options.directory);
  const unlock = lockStack(state);
  try {
    return await run(options, state);
  } finally {
    unlock();
  }
}

async function run(options: StackOptions, state: StateDirectory): Promise<number> {
  const progress = new Progress(process.stdout);
  const stop = new StopRequest(() => void leaveInAHurry()).listen();
  const cancelled = () => stop.isRequested;
  const stack = new Stack({ options, state, progress, env: process.env, root: ROOT, cancelled });
  const alive = setInterval(() => undefined, 60_000); // its children do not keep this process alive
  let code = 0;
  try {
    const description = await stack.start();
    progress.line(summary(description, state));
    const signal = await Promise.race([stop.requested, stack.broken]);
    progress.line(`Stopping (${signal}) …`);
  } catch (error) {
    if (cancelled()) progress.line('Stopping before everything was started …');
    else code = report(error);
  }
  await stack.stop();
  clearInterval(alive);
  if (cancelled()) progress.line('Stopped.');
  return code;
}

function report(error: unknown): number {
  const known = error instanceof StackError || error instanceof ServerError;
  process.stderr.write(`${known ? error.message : inspect(error)}\n`);
  return error instanceof StackError ? error.exitCode : 1;
}

async function leaveInAHurry(): Promise<void> {
  process.stderr.write('Killing everything.\n');
  await Promise.race([OwnedProcess.killAll(), new Promise((done) => setTimeout(done, 2_000))]);
  process.exit(130);
}

// A closed terminal or pipe is no reason to fall: the servers are still to be stopped in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
main().then(
  (code) => process.exit(code),
  (error: unknown) => process.exit(report(error)),
);
