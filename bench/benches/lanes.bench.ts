/**
 * The statement and batch lanes of the tenant gateway (one flight under one Sync) against the same SQL through plain
 * node-postgres in an interactive transaction, on the same number of connections.
 */
import { NestFactory } from '@nestjs/core';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { ConfigModule, roleUrl } from '#libs/config';
import { DATABASE_TYPES, DatabaseModule, type Statement, TenantDatabase, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { TenancyModule } from '#libs/tenancy';
import { asTenant, createOrganization, type TestEnvironment, type TestOrganization } from '#libs/testing';
import { Pool, type PoolClient } from 'pg';
import type { Bench } from '../harness/bench';
import { inFlight } from '../harness/parallel';
import { startBenchServers } from '../harness/servers';

const CONNECTIONS = 8;
const IN_FLIGHT = 32;
const PRODUCTS = 1_000;
const BATCH = 4;

const readProduct = tenantStatement(
  'bench_read_product',
  'select id, sku, name, price_minor, currency from products where organization_id = $1 and sku = $2',
);

@Module({})
class BenchModule {}

async function startGateway(environment: TestEnvironment): Promise<INestApplicationContext> {
  const { config } = environment;
  const imports = [
    ConfigModule.forRoot(config),
    TenancyModule,
    DatabaseModule.forRoot({ config, applicationName: 'stockyard-bench' }),
  ];
  return NestFactory.createApplicationContext({ module: BenchModule, imports }, { logger: false });
}

async function addProducts(environment: TestEnvironment, { id }: TestOrganization): Promise<void> {
  await environment.query(
    `insert into products (organization_id, id, sku, name, price_minor, currency)
     select $1, gen_random_uuid(), 'SKU-' || number, 'Product ' || number, number, 'GBP' from generate_series(1, $2) number`,
    [id, PRODUCTS],
  );
  await environment.query('analyze products');
}

const someProduct = (): Statement => readProduct(`SKU-${1 + Math.floor(Math.random() * PRODUCTS)}`);

/** What the lanes replace: five round trips and more, one statement after another. */
async function interactive(client: PoolClient, organizationId: string, statements: readonly Statement[]) {
  await client.query('BEGIN');
  await client.query({ name: 'set', text: "select set_config('app.tenant_id', $1, true)", values: [organizationId] });
  for (const { name, text, values } of statements) {
    const { rowCount } = await client.query({ name, text, values: [organizationId, ...values] });
    if (rowCount !== 1) throw new Error(`${String(rowCount)} rows instead of one.`);
  }
  await client.query('COMMIT');
}

async function plain(pool: Pool, organizationId: string, statements: readonly Statement[]): Promise<void> {
  const client = await pool.connect();
  try {
    await interactive(client, organizationId, statements);
    client.release();
  } catch (error) {
    client.release(error as Error);
    throw error;
  }
}

const several = (): Statement[] => Array.from({ length: BATCH }, someProduct);

export const LANES_BENCH: Bench = {
  name: 'lanes',
  about: `TenantDatabase.statement and .batch against BEGIN, set_config, SELECT …, COMMIT of node-postgres; ${CONNECTIONS} connections each.`,
  prepare: async () => {
    await using opened = new AsyncDisposableStack();
    const servers = await startBenchServers({ DATABASE_POOL_SIZE: String(CONNECTIONS) });
    opened.defer(() => servers.close());
    const { environment } = servers;
    const organization = await createOrganization(environment, { slug: `bench-${newId()}` });
    await addProducts(environment, organization);
    const app = await startGateway(environment);
    opened.defer(() => app.close());
    const database = app.get(TenantDatabase);
    const connectionString = roleUrl(environment.config, 'app');
    const pool = new Pool({ connectionString, max: CONNECTIONS, types: DATABASE_TYPES });
    opened.defer(() => pool.end());
    const gateway = (work: () => Promise<unknown>) => (operations: number) =>
      asTenant(app, organization, () => inFlight(IN_FLIGHT, operations, work));
    const bare = (statements: () => Statement[]) => (operations: number) =>
      inFlight(IN_FLIGHT, operations, () => plain(pool, organization.id, statements()));
    const held = opened.move();
    return {
      comparisons: [
        {
          name: 'statement',
          subject: { name: 'gateway', run: gateway(() => database.statement(someProduct())) },
          reference: { name: 'interactive', run: bare(() => [someProduct()]) },
        },
        {
          name: 'batch',
          subject: { name: 'gateway', run: gateway(() => database.batch(several())) },
          reference: { name: 'interactive', run: bare(several) },
        },
      ],
      close: () => held.disposeAsync(),
    };
  },
};
