/** Migrators that are killed again and again, in the middle of a migration and right after one, two at a time. */
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { MigratorProcess } from '../../test/migrator-process';
import { TRIAL_MIGRATIONS } from '../../test/trial-migrations';

/** Where a migrator is killed: by the step it has just reported. */
const MOMENTS = ['database', 'migrating', 'migrated', 'migrating', 'migrated'] as const;

describe('migrators that are killed', () => {
  let env: TestEnvironment;

  beforeAll(async () => {
    env = await createTestEnvironment();
  });

  afterAll(() => env.dispose());

  async function killAt(moment: (typeof MOMENTS)[number]): Promise<void> {
    const migrators = [new MigratorProcess(env.variables), new MigratorProcess(env.variables)];
    const there = () => migrators.some(({ steps }) => steps.some(({ step }) => step === moment));
    await waitFor(there, { what: `a migrator to report "${moment}"`, timeoutMs: 30_000, intervalMs: 1 });
    await Promise.all(migrators.map((migrator) => migrator.kill()));
  }

  it('leave nothing that the next one does not finish', async () => {
    for (const moment of MOMENTS) await killAt(moment);
    await new MigratorProcess(env.variables).finished();
    const ledger = await env.query<{ name: string }>('select name from schema_migrations order by id');
    expect(ledger.map(({ name }) => name)).toEqual(TRIAL_MIGRATIONS.map(({ name }) => name));
    expect(await env.query('select indexrelid::regclass from pg_index where not indisvalid')).toEqual([]);
    const held =
      "select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
    await waitFor(async () => (await env.query(held)).length === 0, { what: 'the last lock to go with its session' });
  });
});
