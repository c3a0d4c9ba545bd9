// Installs the npm packages when they are missing or are not those of package-lock.json. Plain JavaScript without
// dependencies: it runs before there are any. `node tools/install.mjs`, or import { install }.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(fileURLToPath(import.meta.url), '..', '..');
const LOCK = join(ROOT, 'package-lock.json');
const MODULES = join(ROOT, 'node_modules');
const STAMP = join(MODULES, '.stockyard-install');
const OLDEST_NODE = 20;

/** Resolves when node_modules matches package-lock.json; rejects with an error whose message is for people. */
export async function install() {
  requireNode();
  const wanted = `${createHash('sha256').update(readFileSync(LOCK)).digest('hex')} ${process.platform}-${process.arch}\n`;
  if (read(STAMP) === wanted) return;
  if (!matchesLock()) await runNpm();
  writeFileSync(STAMP, wanted);
}

function requireNode() {
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) return;
  throw new Error(`Stockyard needs Node ${OLDEST_NODE} or newer to start; this is Node ${process.versions.node}.`);
}

/** Whether npm's own record of what it installed agrees: then packages were installed by hand, and nothing is to do. */
function matchesLock() {
  const installed = packagesOf(join(MODULES, '.package-lock.json'));
  const wanted = packagesOf(LOCK);
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return entry.optional === true && !isForHere(entry);
    return found.version === entry.version && found.integrity === entry.integrity && existsSync(join(ROOT, path));
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Whether an optional package was made for this very platform, so that it ought to be installed. */
function isForHere({ os, cpu, libc }) {
  const fits = (list, value) => list.includes(value) || (list[0]?.startsWith('!') && !list.includes(`!${value}`));
  if (os === undefined || cpu === undefined || libc !== undefined) return false;
  return fits(os, process.platform) && fits(cpu, process.arch);
}

function runNpm() {
  const tty = process.stdout.isTTY === true;
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  const show = () => process.stdout.write(`\r\x1b[2KInstalling npm packages … ${seconds()} s`);
  const line = () => console.log(`Installing npm packages … ${seconds()} s`);
  if (tty) show();
  else console.log('Installing npm packages (npm ci) …');
  const ticker = setInterval(tty ? show : line, tty ? 1_000 : 15_000);
  return new Promise((resolvePromise, reject) => {
    const [command, ...args] = npmCommand();
    const child = spawn(command, [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: ROOT,
      env: { ...process.env, PATH: hostPath() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    const settle = (problem) => {
      clearInterval(ticker);
      if (tty) process.stdout.write('\r\x1b[2K');
      if (problem !== undefined) return reject(new Error(`npm ci ${problem}\n${output.trimEnd()}`));
      console.log(`Installed npm packages (${seconds()} s)`);
      resolvePromise();
    };
    child.once('error', (error) => settle(`could not be run: ${error.message}`));
    child.once('close', (code, signal) =>
      settle(code === 0 ? undefined : `failed (${signal ?? `exit code ${code}`}):`),
    );
  });
}

// npm must not run on the Node inside the node_modules that it deletes.
function hostPath() {
  const own = join(MODULES, '.bin');
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => resolve(directory) !== own)
    .join(delimiter);
}

function npmCommand() {
  const onPath = hostPath()
    .split(delimiter)
    .some((directory) => existsSync(join(directory, 'npm')));
  const running = process.env.npm_execpath;
  return onPath || running === undefined ? ['npm'] : [process.execPath, running];
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  install().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
