// `npm start`: installs and builds what is needed, then runs the local stack on the Node of the npm packages.
// Plain JavaScript without dependencies, for any Node from 20 on.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';

const ROOT = resolve(fileURLToPath(import.meta.url), '..', '..');
const NODE = join(ROOT, 'node_modules', '.bin', 'node');
const MAIN = join(ROOT, 'dist', 'tools', 'stack', 'main.js');
const STAMP = join(ROOT, 'dist', '.built');
const SOURCES = ['apps', 'libs', 'migrations', 'tools', 'bench', '.swcrc', 'package.json', 'package-lock.json'];

/** The newest change below a path, deletions included (they change their directory), in milliseconds since 1970. */
function newestChange(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestChange(join(path, name))), stat.mtimeMs);
}

function build() {
  const newest = Math.max(...SOURCES.map((name) => newestChange(join(ROOT, name))));
  if (existsSync(STAMP) && existsSync(MAIN) && Number(readFileSync(STAMP, 'utf8')) >= newest) return;
  const began = Date.now();
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const PATH = `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`;
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', scripts.build], {
    cwd: ROOT,
    env: { ...process.env, PATH },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The build failed (${scripts.build}):\n${stdout}${stderr}`.trimEnd());
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(STAMP, String(newest));
  console.log(`Built (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

/** Whether a stack may be running on these files. Then nothing is replaced under it, and it answers for itself. */
function mayRun() {
  try {
    const lock = join(resolve(ROOT, process.env.STOCKYARD_DIR || '.stockyard'), 'stack.pid.json');
    process.kill(JSON.parse(readFileSync(lock, 'utf8')).pid, 0);
    return existsSync(MAIN) && existsSync(NODE);
  } catch {
    return false;
  }
}

function run() {
  // The channel tells the stack when this process is gone, even by SIGKILL.
  const stack = spawn(NODE, [MAIN, ...process.argv.slice(2)], {
    cwd: ROOT,
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
  if (!mayRun()) {
    await install();
    build();
  }
  run();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
