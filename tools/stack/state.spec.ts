import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decideShards } from './decide-shards';
import { rememberedPorts, rememberPorts } from './ports';
import { loadSecrets } from './secrets';
import { lockStack } from './stack-lock';
import { StateDirectory } from './state-directory';

describe('the directory of a stack', () => {
  let dir: string;
  const mode = (name: string) => statSync(join(dir, name)).mode & 0o777;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'stockyard-test-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('keeps secrets for this user alone and makes them only once', () => {
    const state = StateDirectory.open(dir);
    const made = loadSecrets(state, {});
    expect(mode('secrets.json')).toBe(0o600);
    expect(loadSecrets(StateDirectory.open(dir), {})).toEqual(made);
    expect(new Set(Object.values(made)).size).toBe(Object.keys(made).length);
    expect(made.JWT_SECRET.length).toBeGreaterThanOrEqual(32);
  });

  it('adds a secret that is missing and leaves the others', () => {
    const state = StateDirectory.open(dir);
    state.writeJson('secrets.json', { ADMIN_TOKEN: 'mine' });
    const secrets = loadSecrets(state, {});
    expect(secrets.ADMIN_TOKEN).toBe('mine');
    expect(secrets.DATABASE_OWNER_PASSWORD).not.toBe('');
  });

  it('prefers secrets of the environment and does not keep them', () => {
    const state = StateDirectory.open(dir);
    const env = { ADMIN_TOKEN: 'from the environment', DATABASE_SUPERUSER_PASSWORD: 'not mine' };
    const secrets = loadSecrets(state, env);
    expect(secrets.ADMIN_TOKEN).toBe('from the environment');
    expect(secrets.DATABASE_SUPERUSER_PASSWORD).not.toBe('not mine');
    expect(readFileSync(join(dir, 'secrets.json'), 'utf8')).not.toContain('from the environment');
  });

  it('remembers ports', () => {
    const state = StateDirectory.open(dir);
    rememberPorts(state, { postgres: 5001, redis: 5002 });
    rememberPorts(state, { redis: 5003 });
    expect(rememberedPorts(state)).toEqual({ postgres: 5001, redis: 5003 });
  });

  it('remembers how many shards its data has, and never starts with fewer', () => {
    const state = StateDirectory.open(dir);
    expect(decideShards(state, undefined)).toEqual(['main']);
    expect(decideShards(state, 2)).toEqual(['main', 'two']);
    expect(decideShards(StateDirectory.open(dir), undefined)).toEqual(['main', 'two']);
    expect(() => decideShards(state, 1)).toThrow(/has 2 shards: use --shards 2 or more, or begin anew with --fresh/);
    expect(decideShards(state, 3)).toEqual(['main', 'two', 'three']);
  });

  it('is refused when it holds files of somebody else', () => {
    writeFileSync(join(dir, 'letter.txt'), 'dear');
    expect(() => StateDirectory.open(dir)).toThrow('holds files that this stack did not make');
  });

  it('loses what the stack made, and nothing else, when it begins afresh', async () => {
    const state = StateDirectory.open(dir);
    loadSecrets(state, {});
    state.privateDirectory('files');
    writeFileSync(join(dir, 'letter.txt'), 'dear');
    await state.removeData();
    expect(existsSync(join(dir, 'secrets.json'))).toBe(false);
    expect(existsSync(join(dir, 'files'))).toBe(false);
    expect(readFileSync(join(dir, 'letter.txt'), 'utf8')).toBe('dear');
  });

  it('serves one stack at a time, and the next after it, however it ended', () => {
    const state = StateDirectory.open(dir);
    const unlock = lockStack(state);
    expect(() => lockStack(state)).toThrow(`process ${process.pid}`);
    unlock();
    const gone = { pid: process.pid, startedAt: 'another time', commandLine: 'another program' };
    writeFileSync(join(dir, 'stack.pid.json'), JSON.stringify(gone));
    lockStack(state)();
    expect(existsSync(join(dir, 'stack.pid.json'))).toBe(false);
  });
});
