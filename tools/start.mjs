// `npm start`: installs and builds what is needed, then runs the local stack on the Node of the npm packages.
// Plain JavaScript without dependencies, for any Node from 20 on.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { BIN, build, ROOT, stackRuns } from './build.mjs';
import { COMPILE_CACHE } from './compile-cache.mjs';
import { install } from './install.mjs';

const NODE = join(BIN, 'node');
const MAIN = join(ROOT, 'dist', 'tools', 'stack', 'main.js');

function run() {
  // The channel tells the stack when this process is gone, even by SIGKILL.
  const stack = spawn(NODE, [MAIN, ...process.argv.slice(2)], {
    cwd: ROOT,
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stack.kill(signal));
  stack.once('error', (error) => {
    console.error(`${NODE} does not run (${error.message}): npm rebuild node`);
    process.exit(1);
  });
  stack.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

try {
  // While a stack may run on these files nothing is replaced under it, and it answers for itself.
  if (!(stackRuns() && existsSync(MAIN) && existsSync(NODE))) {
    await install();
    const seconds = build(MAIN);
    if (seconds !== undefined) console.log(`Built (${seconds.toFixed(1)} s)`);
  }
  run();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
