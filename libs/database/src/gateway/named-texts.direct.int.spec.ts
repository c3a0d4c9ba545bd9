/** Queries of the interactive lane are prepared (not behind PgBouncer) after a few uses; what a migration then does to their plans. */
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule } from '#libs/config';
import { DatabaseModule, TenantDatabase } from '#libs/database';
import { TenancyModule } from '#libs/tenancy';
import {
  asTenant,
  createOrganization,
  createTestEnvironment,
  type TestEnvironment,
  type TestOrganization,
} from '#libs/testing';

@Module({})
class SpecModule {}

describe('texts without a name', () => {
  let environment: TestEnvironment;
  let app: INestApplicationContext;
  let organization: TestOrganization;

  beforeAll(async () => {
    environment = await createTestEnvironment({ DATABASE_POOL_SIZE: '1', DATABASE_REPLICA_URLS: '' });
    organization = await createOrganization(environment);
    const { config } = environment;
    const imports = [
      ConfigModule.forRoot(config),
      TenancyModule,
      DatabaseModule.forRoot({ config, applicationName: 'spec' }),
    ];
    app = await NestFactory.createApplicationContext({ module: SpecModule, imports }, { logger: false });
  });
  afterAll(async () => {
    await app.close();
    await environment.dispose();
  });

  const ALL = 'select * from locations where organization_id = $1';
  const write = (...texts: readonly string[]): Promise<object[]> =>
    asTenant(app, organization, () =>
      app.get(TenantDatabase).write(async (manager) => {
        let rows: object[] = [];
        for (const text of texts) rows = await manager.query(text, text.includes('$1') ? [organization.id] : []);
        return rows;
      }),
    );
  const addColumn = (name: string) => environment.query(`alter table locations add column ${name} text`);
  const preparedNames = () =>
    write('select name from pg_prepared_statements').then((rows) => rows.map((row) => (row as { name: string }).name));

  it('are prepared when they come again and again', async () => {
    for (let use = 0; use < 2; use += 1) await write(ALL);
    expect((await preparedNames()).filter((name) => name.startsWith('text_'))).toEqual([]);
    await write(ALL);
    expect((await preparedNames()).filter((name) => name.startsWith('text_'))).toHaveLength(1);
  });

  it('outlive a change of their columns: first in a transaction, nothing has happened yet and they are sent again', async () => {
    for (let use = 0; use < 4; use += 1) await write(ALL);
    await addColumn('first');
    expect(Object.keys((await write(ALL))[0]!)).toContain('first');
  });

  it('behind another query the transaction is over, and the caller is told to retry', async () => {
    for (let use = 0; use < 4; use += 1) await write('select 1', ALL);
    await addColumn('behind');
    await expect(write('select 1', ALL)).rejects.toMatchObject({ code: 'database_busy', category: 'unavailable' });
    expect(Object.keys((await write('select 1', ALL))[0]!)).toContain('behind');
  });
});
