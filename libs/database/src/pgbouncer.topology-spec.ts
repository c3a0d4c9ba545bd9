/** The lanes through a real PgBouncer in transaction mode, where clients of several tenants share server connections. */
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { TenancyModule } from '#libs/tenancy';
import {
  asTenant,
  createOrganization,
  createTestEnvironment,
  findProgram,
  type LocalPgBouncer,
  REQUIRED_PROGRAMS,
  startLocalPgBouncer,
  type TestEnvironment,
  type TestOrganization,
} from '#libs/testing';
import { DatabaseModule } from './database.module';
import { tenantStatement } from './lanes/statement';
import { TenantDatabase } from './tenant-database';

const TENANTS = 5;
const ROUNDS = 1500;
const SERVER_CONNECTIONS = 3;

const insert = tenantStatement(
  'bouncer_insert',
  "insert into products (organization_id, id, sku, name, currency) values ($1, $2, $3, $3, 'GBP')",
);
const seen = tenantStatement(
  'bouncer_seen',
  'select $1::uuid as me, array_agg(distinct organization_id::text) as owners, count(*) as products from products',
);
const fail = tenantStatement('bouncer_fail', 'select $1::uuid, 1 / 0');

interface Seen {
  readonly me: string;
  readonly owners: string[] | null;
  readonly products: number;
}

describe('through PgBouncer in transaction mode', () => {
  let env: TestEnvironment;
  let bouncer: LocalPgBouncer;
  let app: TestingModule;
  let tenants: TestOrganization[];

  beforeAll(async () => {
    env = await createTestEnvironment();
    const program = findProgram(REQUIRED_PROGRAMS.find(({ name }) => name === 'pgbouncer')!)!;
    bouncer = await startLocalPgBouncer({ program, serverUrl: env.adminUrl, poolSize: SERVER_CONNECTIONS });
    const url = new URL(env.adminUrl);
    url.port = String(bouncer.port);
    const config = loadConfig({
      ...env.variables,
      DATABASE_URL: url.toString(),
      DATABASE_PREPARED_STATEMENTS: 'off', // Debian's PgBouncer is older than 1.21
      DATABASE_POOL_SIZE: '20',
    });
    app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        TenancyModule,
        DatabaseModule.forRoot({ config, applicationName: 'spec' }),
      ],
    }).compile();
    await app.init();
    tenants = [];
    for (let index = 0; index < TENANTS; index += 1) tenants.push(await createOrganization(env));
  });

  afterAll(async () => {
    await app.close();
    await bouncer.stop();
    await env.dispose();
  });

  it('shares server connections between tenants and shows none of them another’s rows, whatever fails', async () => {
    const database = app.get(TenantDatabase);
    const written = new Map(tenants.map((tenant) => [tenant.id, 0]));
    const round = async (index: number) => {
      const tenant = tenants[index % TENANTS]!;
      await asTenant(app, tenant, async () => {
        if (index % 11 === 0) await expect(database.statement(fail())).rejects.toMatchObject({ code: '22012' });
        if (index % 13 === 0) {
          const swallowed = database.write((manager) => manager.query('select 1 / 0').catch(() => undefined));
          await expect(swallowed).rejects.toMatchObject({ code: 'transaction_rolled_back' });
        }
        if (index % 3 === 0) {
          await database.batch([insert(newId(), `S-${index}`), seen()]);
          written.set(tenant.id, written.get(tenant.id)! + 1);
        }
        const [row] =
          index % 2 === 0
            ? await database.statement<Seen>(seen())
            : await database.read((manager) => manager.query<Seen[]>(seen().text, [tenant.id]));
        expect(row!.me).toBe(tenant.id);
        expect(row!.owners ?? [tenant.id]).toEqual([tenant.id]);
      });
    };
    let next = 0;
    await Promise.all(
      Array.from({ length: 25 }, async () => {
        while (next < ROUNDS) await round(next++);
      }),
    );
    for (const tenant of tenants) {
      const [row] = await asTenant(app, tenant, () => database.statement<Seen>(seen()));
      expect(row!.products).toBe(written.get(tenant.id));
    }
    const [backends] = await env.query<{ n: number }>(
      "select count(*)::int as n from pg_stat_activity where usename = 'stockyard_app' and datname = current_database()",
    );
    expect(backends!.n).toBeLessThanOrEqual(SERVER_CONNECTIONS);
  });
});
