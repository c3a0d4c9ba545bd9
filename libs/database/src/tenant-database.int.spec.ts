/** The lanes of the tenant gateway against a real database: one contract, walled, all or nothing. */
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule } from '#libs/config';
import { newId, StockyardError } from '#libs/kernel';
import { type TenantContext, TenancyModule, TenantContextHolder } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment, type TestOrganization } from '#libs/testing';
import { DatabaseModule } from './database.module';
import { tenantStatement } from './lanes/statement';
import { TenantDatabase } from './tenant-database';

const insertProduct = tenantStatement(
  'spec_insert_product',
  "insert into products (organization_id, id, sku, name, currency) values ($1, $2, $3, $3, 'GBP') returning id",
);
const listProducts = tenantStatement(
  'spec_list_products',
  'select sku from products where organization_id = $1 order by sku',
);
const everyProduct = tenantStatement('spec_every_product', 'select sku, $1::uuid as me from products');
const refuse = tenantStatement('spec_refuse', "select refuse('no_way', 'conflict', 'No.', 'field'), $1::uuid");

describe('TenantDatabase', () => {
  let env: TestEnvironment;
  let app: TestingModule;
  let database: TenantDatabase;
  let holder: TenantContextHolder;
  let a: TestOrganization;
  let b: TestOrganization;

  const as = <T>(organization: TestOrganization, work: () => Promise<T>): Promise<T> => {
    const context: TenantContext = {
      organizationId: organization.id,
      actor: { type: 'system', id: null },
      permissions: new Set(),
      requestId: newId(),
    };
    return holder.run(context, work);
  };

  beforeAll(async () => {
    env = await createTestEnvironment({ DATABASE_POOL_SIZE: '3' });
    app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(env.config),
        TenancyModule,
        DatabaseModule.forRoot({ config: env.config, applicationName: 'spec' }),
      ],
    }).compile();
    await app.init();
    database = app.get(TenantDatabase);
    holder = app.get(TenantContextHolder);
    a = await createOrganization(env);
    b = await createOrganization(env);
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  it('commits a batch as a whole and shows it to its tenant only', async () => {
    await as(a, () => database.batch([insertProduct(newId(), 'A-1'), insertProduct(newId(), 'A-2')]));
    await expect(as(a, () => database.statement(listProducts()))).resolves.toEqual([{ sku: 'A-1' }, { sku: 'A-2' }]);
    await expect(as(b, () => database.statement(everyProduct()))).resolves.toEqual([]);
  });

  it('rolls a batch back when its last statement refuses, and says why', async () => {
    const failed = as(a, () => database.batch([insertProduct(newId(), 'A-3'), refuse()]));
    await expect(failed).rejects.toMatchObject({
      code: 'no_way',
      category: 'conflict',
      param: 'field',
      message: 'No.',
    });
    expect(await env.query('select from products where sku = $1', ['A-3'])).toHaveLength(0);
  });

  it('keeps serving on a connection whose flight failed while its statements were new to it', async () => {
    const fresh = () => tenantStatement(`spec_fresh_${newId()}`, 'select $1::uuid as id')();
    const statement = fresh();
    for (let round = 0; round < 6; round += 1) {
      await expect(as(a, () => database.batch([refuse(), statement]))).rejects.toBeInstanceOf(StockyardError);
      await expect(as(a, () => database.batch([statement, statement]))).resolves.toHaveLength(2);
    }
  });

  it('leaves the statements unexecuted when a value cannot be bound', async () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    const failed = as(a, () => database.batch([insertProduct(newId(), 'A-4'), insertProduct(newId(), circular)]));
    await expect(failed).rejects.toThrow(/circular/i);
    expect(await env.query('select from products where sku = $1', ['A-4'])).toHaveLength(0);
    await expect(as(a, () => database.statement(listProducts()))).resolves.toHaveLength(2);
  });

  it('leaves the statements unexecuted when the tenant cannot be set', async () => {
    const place = { shard: 'main', epoch: 1 };
    const nobody = { organizationId: 'nobody', actor: { type: 'system', id: null }, requestId: 'r', place } as const;
    const asNobody = <T>(work: () => Promise<T>) => holder.run({ ...nobody, permissions: new Set<string>() }, work);
    const insertFor = tenantStatement(
      'spec_insert_for',
      `insert into products (organization_id, id, sku, name, currency)
       select $2::uuid, $3, 'A-6', 'x', 'GBP' where $1::text is not null`,
    );
    await expect(asNobody(() => database.statement(insertFor(a.id, newId())))).rejects.toMatchObject({ code: '22P02' });
    const interactive = () => database.write((manager) => manager.query("update products set name = 'stolen'"));
    await expect(asNobody(interactive)).rejects.toMatchObject({ driverError: { code: '22P02' } });
    expect(await env.query("select from products where sku = 'A-6' or name = 'stolen'")).toHaveLength(0);
  });

  it('never shows a row of another tenant on reused connections, whatever fails in between', async () => {
    await as(b, () => database.statement(insertProduct(newId(), 'B-1')));
    const rounds = Array.from({ length: 300 }, async (_, index) => {
      const [mine, prefix] = index % 2 === 0 ? ([a, 'A-'] as const) : ([b, 'B-'] as const);
      if (index % 7 === 0) await as(mine, () => database.batch([refuse()])).catch(() => undefined);
      const rows = await as(mine, () => database.statement<{ sku: string; me: string }>(everyProduct()));
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.every((row) => row.sku.startsWith(prefix) && row.me === mine.id)).toBe(true);
    });
    await Promise.all(rounds);
  });

  it('leaves no tenant behind on a pooled connection', async () => {
    const client = await env.connectAs('app');
    try {
      await client.query('begin');
      await client.query("select set_config('app.tenant_id', $1, true)", [a.id]);
      await client.query('commit');
      expect((await client.query('select sku from products')).rows).toEqual([]);
    } finally {
      await client.end();
    }
  });

  it('refuses to work outside of a tenant context, and to switch inside of one', async () => {
    await expect(database.statement(listProducts())).rejects.toMatchObject({ code: 'tenant_context_missing' });
    await expect(as(a, async () => as(b, () => database.statement(listProducts())))).rejects.toMatchObject({
      code: 'tenant_context_switch',
    });
  });

  it('reports a transaction whose error was swallowed instead of pretending that it committed', async () => {
    const failed = as(a, () =>
      database.write(async (manager) => {
        await manager.query(
          "insert into products (organization_id, id, sku, name, currency) values ($1, $2, 'A-5', 'x', 'GBP')",
          [a.id, newId()],
        );
        await manager.query('select 1 / 0').catch(() => undefined);
      }),
    );
    await expect(failed).rejects.toMatchObject({ code: 'transaction_rolled_back' });
    expect(await env.query('select from products where sku = $1', ['A-5'])).toHaveLength(0);
  });

  it('refuses writes in a read transaction', async () => {
    const failed = as(a, () => database.read((manager) => manager.query("update products set name = 'y'")));
    await expect(failed).rejects.toMatchObject({ driverError: { code: '25006' } });
  });

  it('answers 503 instead of hanging when every connection is taken', async () => {
    const small = await createTestEnvironment({ DATABASE_POOL_SIZE: '1', DATABASE_POOL_WAIT_MS: '200' });
    const module = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(small.config),
        TenancyModule,
        DatabaseModule.forRoot({ config: small.config, applicationName: 'spec' }),
      ],
    }).compile();
    try {
      await module.init();
      const organization = await createOrganization(small);
      const gateway = module.get(TenantDatabase);
      const run = <T>(work: () => Promise<T>) =>
        module.get(TenantContextHolder).run(
          {
            organizationId: organization.id,
            actor: { type: 'system', id: null },
            permissions: new Set(),
            requestId: 'r',
          },
          work,
        );
      await run(() =>
        gateway.read(async (manager) => {
          await manager.query('select 1');
          await expect(gateway.statement(listProducts())).rejects.toMatchObject({
            code: 'database_unavailable',
            category: 'unavailable',
          });
        }),
      );
    } finally {
      await module.close();
      await small.dispose();
    }
  });
});
