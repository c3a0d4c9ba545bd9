// Builds dist/ when a source is newer than the last build. Plain JavaScript without dependencies, for any Node from 20 on.
// `node tools/build.mjs`, as the test commands do (so that no spec that starts the stack builds under the others), or import { build }.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(fileURLToPath(import.meta.url), '..', '..');
export const BIN = join(ROOT, 'node_modules', '.bin');
/** Where the local stack keeps its state. */
export const STATE_DIRECTORY = resolve(ROOT, process.env.STOCKYARD_DIR || '.stockyard');

const STAMP = join(ROOT, 'dist', '.built');
const SOURCES = ['apps', 'libs', 'migrations', 'tools', 'bench', '.swcrc', 'package.json', 'package-lock.json'];

/** The newest change below a path, deletions included (they change their directory), in milliseconds since 1970. */
function newestChange(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestChange(join(path, name))), stat.mtimeMs);
}

/** Seconds that the build took; undefined when `main`, a file of dist/, is up to date. Throws with the builder's output. */
export function build(main) {
  const newest = Math.max(...SOURCES.map((name) => newestChange(join(ROOT, name))));
  if (existsSync(STAMP) && existsSync(main) && Number(readFileSync(STAMP, 'utf8')) >= newest) return undefined;
  const began = Date.now();
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const env = { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}` };
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', scripts.build], { cwd: ROOT, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`The build failed (${scripts.build}):\n${stdout}${stderr}`.trimEnd());
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(STAMP, String(newest));
  return (Date.now() - began) / 1000;
}

/** Whether a local stack runs on the files of dist/, under which nothing may be replaced. */
export function stackRuns() {
  try {
    process.kill(JSON.parse(readFileSync(join(STATE_DIRECTORY, 'stack.pid.json'), 'utf8')).pid, 0);
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const seconds = build(join(ROOT, 'dist', 'tools', 'stack', 'main.js'));
    console.log(seconds === undefined ? 'dist/ is up to date' : `Built (${seconds.toFixed(1)} s)`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
