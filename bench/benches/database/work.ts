/** The statements that both sides run, with values chosen anew for each, and the data that they run on. */
import { type Statement, tenantRead, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { createOrganization, type TestEnvironment, type TestOrganization } from '#libs/testing';

const PRODUCTS = 1_000;
const COLUMNS = 'id, sku, name, price_minor, currency, state, version';

const point = tenantRead('bench_point', `select ${COLUMNS} from products where organization_id = $1 and sku = $2`);
const page = tenantRead(
  'bench_page',
  `select ${COLUMNS} from products where organization_id = $1 and sku > $2 order by sku limit 20`,
);
const insert = tenantStatement(
  'bench_insert',
  `insert into products (organization_id, id, sku, name, price_minor, currency)
   values ($1, $2, $3, 'Inserted', 255, 'GBP') returning version`,
);

const someSku = (): string => `A-${10_000 + Math.floor(Math.random() * (PRODUCTS - 20))}`;

/** One row by a unique key. */
export const somePoint = (): Statement => point(someSku());

/** Twenty rows in the order of an index. */
export const somePage = (): Statement => page(someSku());

/** One row into a table with two unique indexes. */
export const someInsert = (): Statement => {
  const id = newId();
  return insert(id, `Z-${id}`);
};

/** An organization with products. The tables are vacuumed and analyzed, so that the first rounds are as the last. */
export async function benchOrganization(environment: TestEnvironment): Promise<TestOrganization> {
  const organization = await createOrganization(environment, { slug: `bench-${newId()}` });
  await environment.query(
    `insert into products (organization_id, id, sku, name, price_minor, currency)
     select $1, gen_random_uuid(), 'A-' || 10000 + number, 'Product ' || number, number, 'GBP'
     from generate_series(0, $2 - 1) number`,
    [organization.id, PRODUCTS],
  );
  await environment.query('vacuum analyze products');
  return organization;
}
