/** Migrating several shards: in order, past standbys and dead hosts, with a shard away, and by many migrators at once. */
import { randomBytes } from 'node:crypto';
import { loadConfig } from '#libs/config';
import {
  createTestEnvironment,
  freePort,
  type LocalPostgres,
  startLocalPostgres,
  type TestEnvironment,
} from '#libs/testing';
import { MIGRATIONS } from '#migrations';
import type { QueryRunner } from 'typeorm';
import { MigratorProcess } from '../../test/migrator-process';
import { TRIAL_MIGRATIONS } from '../../test/trial-migrations';
import { checkShards } from './check-shards';
import { migrate, type MigrateProgress } from './migrate';
import type { MigrationClass } from './migration';

const NAMES = MIGRATIONS.map(({ name }) => name);
const TRIALS = TRIAL_MIGRATIONS.slice(MIGRATIONS.length).map(({ name }) => name);

class Breaking1790000009000 {
  static readonly compatibility = { kind: 'breaking', reason: 'It renames what the previous release reads.' } as const;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table stock_notes rename column note to text');
  }

  async down(): Promise<void> {
    // not of interest here
  }
}

class Swallowing1790000008000 {
  static readonly compatibility = { kind: 'previous_release_runs', reason: 'It does nothing but fail.' } as const;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table left_over ()');
    await runner.query('select no_such_function()').catch(() => undefined);
  }

  async down(): Promise<void> {
    // not of interest here
  }
}

/** Ends sessions of the migrator that runs it: its own, or the one that holds the lock of the cluster. */
class Ending1790000008500 {
  static readonly compatibility = { kind: 'previous_release_runs', reason: 'It does nothing but fail.' } as const;
  static end: (runner: QueryRunner) => Promise<unknown> = () => Promise.resolve();

  async up(runner: QueryRunner): Promise<void> {
    await Ending1790000008500.end(runner);
  }

  async down(): Promise<void> {
    // not of interest here
  }
}

describe('migrating shards', () => {
  let env: TestEnvironment;
  let two: LocalPostgres;
  const database = `fresh_${randomBytes(4).toString('hex')}`;

  const freshUrl = (name: string, url = env.adminUrl) =>
    Object.assign(new URL(url), { pathname: `/${name}` }).toString();
  const variables = (): Record<string, string> => ({
    ...env.variables,
    DATABASE_URL: freshUrl(database),
    DATABASE_SHARDS: JSON.stringify({ two: { url: two.url({ database: 'stockyard' }) } }),
  });
  const config = (overrides: Readonly<Record<string, string>> = {}) => loadConfig({ ...variables(), ...overrides });

  beforeAll(async () => {
    env = await createTestEnvironment();
    two = await startLocalPostgres({ password: 'test-superuser', throwaway: true });
  });

  afterAll(async () => {
    await two.remove();
    await env.query(`drop database if exists ${database} with (force)`);
    await env.dispose();
  });

  it('says what is missing before, and nothing after; the home shard is first', async () => {
    const missing = NAMES.map((migration) => ({ code: 'schema_too_old', migration, problem: 'is not applied' }));
    await expect(checkShards(config(), MIGRATIONS)).resolves.toEqual([
      { shard: 'main', violations: missing },
      { shard: 'two', violations: missing },
    ]);
    const steps: MigrateProgress[] = [];
    await expect(
      migrate({ config: config(), migrations: MIGRATIONS, onProgress: (step) => steps.push(step) }),
    ).resolves.toEqual([
      { shard: 'main', applied: NAMES },
      { shard: 'two', applied: NAMES },
    ]);
    expect(steps.map(({ shard }) => shard).lastIndexOf('main')).toBeLessThan(
      steps.findIndex(({ shard }) => shard === 'two'),
    );
    await expect(checkShards(config(), MIGRATIONS)).resolves.toEqual([
      { shard: 'main', violations: [] },
      { shard: 'two', violations: [] },
    ]);
  });

  it('finds the host that takes writes behind a dead one and a standby', async () => {
    const dead = `127.0.0.1:${await freePort()}`;
    const hosts = [dead, new URL(env.variables['DATABASE_REPLICA_URLS']!).host, new URL(env.adminUrl).host];
    const url = freshUrl(database).replace(new URL(env.adminUrl).host, hosts.join(','));
    await expect(migrate({ config: config({ DATABASE_URL: url }), migrations: MIGRATIONS })).resolves.toHaveLength(2);
    const without = url.replace(`,${hosts[2]!}`, '');
    await expect(migrate({ config: config({ DATABASE_URL: without }), migrations: MIGRATIONS })).rejects.toMatchObject({
      code: 'shard_away',
      message: expect.stringMatching(/"main": no host.*ECONNREFUSED.*is a standby.*Done so far: nothing/) as string,
    });
  });

  it('names a shard that is away and what was done, and continues there', async () => {
    await two.stop();
    await expect(migrate({ config: config(), migrations: TRIAL_MIGRATIONS })).rejects.toMatchObject({
      code: 'shard_away',
      category: 'unavailable',
      message: expect.stringMatching(
        /"two": no host.*Done so far: main \(AddColumn.*AddTable1790000006000\)/,
      ) as string,
      details: { shard: 'two', done: [{ shard: 'main', applied: TRIALS }] },
    });
    const [main, away] = await checkShards(config(), TRIAL_MIGRATIONS);
    expect(main).toEqual({ shard: 'main', violations: [] });
    expect(away).toMatchObject({ shard: 'two', away: expect.stringMatching(/ECONNREFUSED/) as string });
    await two.start();
    await expect(migrate({ config: config(), migrations: TRIAL_MIGRATIONS })).resolves.toEqual([
      { shard: 'main', applied: [] },
      { shard: 'two', applied: TRIALS },
    ]);
  });

  it('does not take a migration for applied that swallowed an error', async () => {
    const migrations = [...TRIAL_MIGRATIONS, Swallowing1790000008000];
    await expect(migrate({ config: config(), migrations })).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringMatching(/Swallowing1790000008000: current transaction is aborted/) as string,
    });
    expect(await two.query("select from pg_class where relname = 'left_over'", [], 'stockyard')).toEqual([]);
  });

  it('fails when the connection is lost, and is finished by the next run', async () => {
    const migrations = [...TRIAL_MIGRATIONS, Ending1790000008500];
    const alone = config({ DATABASE_URL: two.url({ database: 'stockyard' }), DATABASE_SHARDS: '' });
    Ending1790000008500.end = (runner) => runner.query('select pg_terminate_backend(pg_backend_pid())');
    await expect(migrate({ config: alone, migrations })).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringMatching(/Shard "main": Ending1790000008500: .*terminat/) as string,
    });
    // Without the session that has the lock of the cluster, the lock of the database still keeps others out.
    Ending1790000008500.end = () =>
      two.query(`select pg_terminate_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database
        where l.locktype = 'advisory' and d.datname = 'postgres'`);
    await expect(migrate({ config: alone, migrations })).resolves.toEqual([
      { shard: 'main', applied: [Ending1790000008500.name] },
    ]);
  });

  it('keeps an older release’s migrator off a schema that breaks it', async () => {
    const newer: MigrationClass[] = [...TRIAL_MIGRATIONS, Breaking1790000009000];
    await migrate({ config: config(), migrations: newer });
    await expect(migrate({ config: config(), migrations: TRIAL_MIGRATIONS })).rejects.toMatchObject({
      code: 'schema_too_new',
      message: expect.stringMatching(/Breaking1790000009000 breaks releases without it/) as string,
    });
    const [main] = await checkShards(config(), MIGRATIONS);
    expect(main!.violations).toEqual([
      { code: 'schema_too_new', migration: Breaking1790000009000.name, problem: 'breaks releases without it' },
    ]);
    await expect(migrate({ config: config(), migrations: newer })).resolves.toMatchObject([
      { applied: [] },
      { applied: [] },
    ]);
  });

  it('applies each migration once when many migrators start at once on an empty server', async () => {
    const other = `fresh_${randomBytes(4).toString('hex')}`;
    const migrators = Array.from(
      { length: 4 },
      () => new MigratorProcess({ ...env.variables, DATABASE_URL: freshUrl(other) }),
    );
    await Promise.all(migrators.map((migrator) => migrator.finished()));
    expect(migrators.flatMap(({ applied }) => applied)).toEqual(TRIAL_MIGRATIONS.map(({ name }) => name));
    expect(migrators.filter(({ steps }) => steps.some(({ step }) => step === 'waiting')).length).toBeGreaterThan(0);
    await env.query(`drop database ${other} with (force)`);
  });
});
