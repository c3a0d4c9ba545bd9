import { spawn } from 'node:child_process';
import { mkdtempSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardianArguments } from './guardian';
import { OwnedProcess } from './owned-process';
import { identifyProcess, isAlive } from './process-identity';
import { waitFor } from './wait-for';

describe('a child process', () => {
  let dir: string;
  const options = (args: readonly string[]) => ({
    name: 'Sleeper',
    command: process.execPath,
    args: ['-e', ...args],
    logFile: join(dir, 'log'),
    pidFile: join(dir, 'pid.json'),
    stopSignal: 'SIGTERM' as const,
    stopTimeoutMs: 1_000,
  });
  const SLEEP = 'setInterval(() => {}, 1e6); console.log("up")';

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'stockyard-test-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('is logged, recorded while it runs, and told how it ended', async () => {
    const child = await OwnedProcess.start(options([SLEEP]));
    await waitFor(() => readFileSync(join(dir, 'log'), 'utf8') === 'up\n', { what: 'the log' });
    expect(existsSync(join(dir, 'pid.json'))).toBe(true);
    expect(await child.stop()).toEqual({ code: null, signal: 'SIGTERM' });
    expect(existsSync(join(dir, 'pid.json'))).toBe(false);
    expect(child.running).toBe(false);
  });

  it('is killed when it ignores the orderly signal', async () => {
    const child = await OwnedProcess.start(options([`process.on('SIGTERM', () => {}); ${SLEEP}`]));
    await waitFor(() => readFileSync(join(dir, 'log'), 'utf8') === 'up\n', { what: 'the log' });
    expect(await child.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('gives a plain error when the command does not exist', async () => {
    const start = OwnedProcess.start({ ...options([]), command: join(dir, 'missing') });
    await expect(start).rejects.toThrow(/Sleeper could not be started: .*ENOENT/);
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends when its parent ends by %s', async (signal) => {
    // The parent: a process that starts a sleeper and its guardian, says the sleeper's pid, and waits.
    const parent = spawn(process.execPath, [
      '-e',
      `const { spawn } = require('node:child_process');
       const sleeper = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
       const args = JSON.parse(process.argv[1]).map((arg) => (arg === '4242' ? String(sleeper.pid) : arg));
       spawn('/bin/sh', args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
       console.log(sleeper.pid); setInterval(() => {}, 1e6);`,
      JSON.stringify(guardianArguments({ pid: 4242, stopSignal: 'SIGTERM', graceSeconds: 5 })),
    ]);
    const [data] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(data.toString());
    expect(identifyProcess(pid)).toBeDefined();
    parent.kill(signal);
    await waitFor(() => identifyProcess(pid) === undefined, { what: 'the orphan to be ended' });
  });

  it('is ended by the next start when a killed parent left it', async () => {
    const left = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const child = identifyProcess(left.pid ?? 0);
    const parent = { pid: 1, startedAt: 'long ago', commandLine: 'a parent that is gone' };
    writeFileSync(join(dir, 'pid.json'), JSON.stringify({ child, parent }));
    const next = await OwnedProcess.start(options([SLEEP]));
    expect(child && isAlive(child)).toBe(false);
    await next.stop();
  });

  it('is spared when the recorded pid belongs to another process now', async () => {
    const stranger = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const child = { ...identifyProcess(stranger.pid ?? 0), startedAt: 'another time' };
    const parent = { pid: 1, startedAt: 'long ago', commandLine: 'a parent that is gone' };
    writeFileSync(join(dir, 'pid.json'), JSON.stringify({ child, parent }));
    const next = await OwnedProcess.start(options([SLEEP]));
    expect(identifyProcess(stranger.pid ?? 0)).toBeDefined();
    await next.stop();
    stranger.kill('SIGKILL');
  });

  it('cannot be started twice under one record', async () => {
    const first = await OwnedProcess.start(options([SLEEP]));
    await expect(OwnedProcess.start(options([SLEEP]))).rejects.toThrow(/In use: process \d+ was started by process/);
    await first.stop();
  });
});
