// Installs and builds what is needed, then runs a tool of dist/ on the Node of the npm packages. Plain JavaScript
// without dependencies, for any Node from 20 on. Everything it says itself goes to stderr: stdout is the tool's.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(fileURLToPath(import.meta.url), '..', '..');
/** Where the local stack keeps its state. */
export const STATE_DIRECTORY = resolve(ROOT, process.env.STOCKYARD_DIR || '.stockyard');

const BIN = join(ROOT, 'node_modules', '.bin');
const STAMP = join(ROOT, 'dist', '.built');
const SOURCES = ['apps', 'libs', 'migrations', 'tools', 'bench', '.swcrc', 'package.json', 'package-lock.json'];

/** The newest change below a path, deletions included (they change their directory), in milliseconds since 1970. */
function newestChange(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestChange(join(path, name))), stat.mtimeMs);
}

function install() {
  const script = join(ROOT, 'tools', 'install.mjs');
  const { status } = spawnSync(process.execPath, [script], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('The npm packages could not be installed.');
}

function build(main) {
  const newest = Math.max(...SOURCES.map((name) => newestChange(join(ROOT, name))));
  if (existsSync(STAMP) && existsSync(main) && Number(readFileSync(STAMP, 'utf8')) >= newest) return;
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const env = { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}` };
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', scripts.build], { cwd: ROOT, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`The build failed (${scripts.build}):\n${stdout}${stderr}`.trimEnd());
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(STAMP, String(newest));
}

/** Whether a local stack runs on the files of dist/, under which nothing is replaced. */
function stackRuns() {
  try {
    process.kill(JSON.parse(readFileSync(join(STATE_DIRECTORY, 'stack.pid.json'), 'utf8')).pid, 0);
    return true;
  } catch {
    return false;
  }
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
