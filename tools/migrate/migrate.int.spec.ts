/** `npm run migrate` as it is run: a process from dist, its lines and its exit status. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { MIGRATIONS } from '#migrations';

const PROGRAM = join(process.cwd(), 'dist/tools/migrate/main.js');

describe('npm run migrate', () => {
  let env: TestEnvironment;
  const database = `fresh_${randomBytes(4).toString('hex')}`;

  const run = (...args: string[]) => {
    const url = Object.assign(new URL(env.adminUrl), { pathname: `/${database}` }).toString();
    const variables = { PATH: process.env.PATH ?? '', ...env.variables, DATABASE_URL: url };
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { env: variables });
    return { status, lines: stdout.toString().trimEnd().split('\n'), stderr: stderr.toString() };
  };

  beforeAll(async () => {
    env = await createTestEnvironment();
  });

  afterAll(async () => {
    await env.query(`drop database if exists ${database} with (force)`);
    await env.dispose();
  });

  it('says what is missing, applies it step by step, and has nothing left to say', () => {
    const missing = run('--check');
    expect([missing.status, missing.lines]).toEqual([1, MIGRATIONS.map(({ name }) => `main: ${name} is not applied`)]);
    const applied = run();
    expect(applied).toMatchObject({ status: 0, stderr: '' });
    expect(applied.lines.filter((line) => / applied \(\d+\.\d\d s\)$/.test(line))).toHaveLength(MIGRATIONS.length);
    expect(applied.lines.at(-1)).toBe(`main: ${MIGRATIONS.length} applied`);
    expect(run().lines.at(-1)).toBe('main: up to date');
    expect(run('--check')).toMatchObject({ status: 0, lines: ['main: up to date'] });
  });

  it('ends with status 1 and one reason', () => {
    expect(run('--chek')).toMatchObject({ status: 1, stderr: expect.stringMatching(/^migrate: "--chek"/) as string });
  });
});
