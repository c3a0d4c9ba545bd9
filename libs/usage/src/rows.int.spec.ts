/** Rows that statements read and wrote, in every lane, as usage of whoever acted. */
import type { INestApplicationContext } from '@nestjs/common';
import { TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { type Actor, TenantContextHolder } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { meteringProcess } from '../test/usage-process';
import { UsageMeter } from '.';

const add = tenantStatement(
  'spec_add_locations',
  'insert into locations (organization_id, id, code, name) select $1, id, id::text, $3 from unnest($2::uuid[]) id returning id',
);
const rename = tenantStatement('spec_rename', 'update locations set name = $2 where organization_id = $1');
const list = tenantRead(
  'spec_list',
  'select id from locations where organization_id = $1 order by code limit $2',
  'primary',
);

describe('rows as usage', () => {
  let env: TestEnvironment;
  let app: INestApplicationContext;

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await meteringProcess({ ...env.config, USAGE_FLUSH_MS: 60_000 });
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  const usageAfter = async (type: Actor['type'], work: (database: TenantDatabase) => Promise<unknown>) => {
    const { id: organizationId } = await createOrganization(env);
    const context = { organizationId, actor: { type, id: null }, permissions: new Set<string>(), requestId: 'spec' };
    await app.get(TenantContextHolder).run(context, () => work(app.get(TenantDatabase)));
    await app.get(UsageMeter).flush();
    await app.get(UsageMeter).flush(); // what flushes write is nobody's
    const rows = await env.query<{ metric: string; value: string }>(
      'select metric, value from tenant_usage where organization_id = $1 order by metric',
      [organizationId],
    );
    return rows.map(({ metric, value }) => [metric, Number(value)]);
  };

  it('are counted of statements and batches', async () => {
    const counted = await usageAfter('api_key', async (database) => {
      await database.batch([add([newId(), newId()], 'a'), rename('b')]); // two come back; two, then three are written
      await database.statement(list(2));
    });
    expect(counted).toEqual([
      ['rows_read', 4],
      ['rows_written', 5],
    ]);
  });

  it('are counted of transactions', async () => {
    const counted = await usageAfter('user', (database) =>
      database.write(async (manager) => {
        await manager.query('select code from locations');
        await manager.query("update locations set name = 'x'");
      }),
    );
    expect(counted).toEqual([
      ['rows_read', 1],
      ['rows_written', 1],
    ]);
  });

  it('are not counted of a batch that failed, nor of what the platform does of its own accord', async () => {
    const failed = (database: TenantDatabase) =>
      database.batch([rename('a'), add([null], 'a')]).catch((error: unknown) => expect(error).toBeDefined());
    expect(await usageAfter('user', failed)).toEqual([]);
    expect(await usageAfter('system', (database) => database.statement(rename('a')))).toEqual([]);
  });
});
