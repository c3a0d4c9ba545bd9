// Installs and builds what is needed, then runs a tool of dist/ on the Node of the npm packages. Plain JavaScript
// without dependencies, for any Node from 20 on. Everything it says itself goes to stderr: stdout is the tool's.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { BIN, build, ROOT, stackRuns } from './build.mjs';

export { ROOT, STATE_DIRECTORY } from './build.mjs';

function install() {
  const script = join(ROOT, 'tools', 'install.mjs');
  const { status } = spawnSync(process.execPath, [script], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('The npm packages could not be installed.');
}

/**
 * Runs dist/<main> in the directory the user called from. This process ends with the tool's status.
 * `beside`: the tool works beside a running stack, so that an existing build is used as it is.
 */
export function launch({ main, args, script, beside }) {
  try {
    const file = join(ROOT, 'dist', main);
    if (!(beside && stackRuns() && existsSync(file))) {
      install();
      build(file);
    }
    // npm changes to the root before it runs a script and says where it was called.
    const cwd = process.env.npm_lifecycle_event === script ? (process.env.INIT_CWD ?? process.cwd()) : process.cwd();
    const tool = spawn(join(BIN, 'node'), [file, ...args], { cwd, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => tool.kill(signal));
    tool.once('error', (error) => {
      console.error(`${join(BIN, 'node')} does not run (${error.message}): npm rebuild node`);
      process.exit(1);
    });
    tool.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
