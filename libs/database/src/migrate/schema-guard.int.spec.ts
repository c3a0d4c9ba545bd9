/** A process does not start on a schema that its release cannot run on. */
import { Test } from '@nestjs/testing';
import { ConfigModule } from '#libs/config';
import { TenancyModule } from '#libs/tenancy';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { MIGRATIONS } from '#migrations';
import { AddColumn1790000001000, TRIAL_MIGRATIONS } from '../../test/trial-migrations';
import { DatabaseModule } from '../database.module';
import { migrate } from './migrate';
import type { MigrationClass } from './migration';

describe('the guard of the schema', () => {
  let env: TestEnvironment;

  beforeAll(async () => {
    env = await createTestEnvironment();
  });

  afterAll(() => env.dispose());

  async function start(migrations: readonly MigrationClass[]): Promise<void> {
    const module = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(env.config),
        TenancyModule,
        DatabaseModule.forRoot({ config: env.config, applicationName: 'spec', migrations }),
      ],
    }).compile();
    try {
      await module.init();
    } finally {
      await module.close();
    }
  }

  it('lets this release start, and none that expects more', async () => {
    await start(MIGRATIONS);
    await expect(start([...MIGRATIONS, AddColumn1790000001000])).rejects.toMatchObject({
      code: 'schema_too_old',
      message: expect.stringMatching(/npm run migrate[^]*AddColumn1790000001000 is not applied/) as string,
    });
  });

  it('lets this release start on what a later one added, until that breaks it', async () => {
    await migrate({ config: env.config, migrations: TRIAL_MIGRATIONS });
    await start(MIGRATIONS);
    await env.query('update schema_migrations set needs = name where name = $1', [AddColumn1790000001000.name]);
    await expect(start(MIGRATIONS)).rejects.toMatchObject({
      code: 'schema_too_new',
      message: expect.stringMatching(/deploy[^]*AddColumn1790000001000 breaks releases without it/) as string,
    });
    await start(TRIAL_MIGRATIONS);
  });

  it('is let in again by the migrator where an older one left a ledger of its own kind', async () => {
    await env.query('alter table schema_migrations drop column needs');
    await env.query('revoke select on schema_migrations from stockyard_app');
    await expect(start(TRIAL_MIGRATIONS)).rejects.toMatchObject({ code: 'schema_too_old' });
    await migrate({ config: env.config, migrations: TRIAL_MIGRATIONS });
    await start(TRIAL_MIGRATIONS);
  });
});
