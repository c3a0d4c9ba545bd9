/** What pages of levels and movements read, as the role of the processes, and that filters find what they should. */
import { newId } from '#libs/kernel';
import type { Statement } from '#libs/database';
import { createOrganization, createTestEnvironment, type TestEnvironment, type TestOrganization } from '#libs/testing';
import type { Client } from 'pg';
import { listLevels, listMovements } from './stock.statements';

const LEVELS = 3_000;
const PAGE = 51;
const FIRST = '00000000-0000-0000-0000-000000000000';
const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const NO_FILTER = { product: null, sku: null, location: null, reference: null };

interface Plan {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly Plan[];
}

/** The most rows that any step of a plan has gone through. */
function mostRows({ 'Actual Rows': rows, 'Actual Loops': loops, Plans = [] }: Plan): number {
  return Math.max(rows * loops, ...Plans.map(mostRows));
}

describe('pages of levels and movements', () => {
  let env: TestEnvironment;
  let client: Client;
  let shop: TestOrganization;
  let product: { id: string; sku: string };

  /** Runs something in a transaction of the tenant, with the plan that a prepared statement ends up with. */
  const run = async <Row>({ text, values }: Statement, mode: string, prefix = ''): Promise<Row[]> => {
    await client.query('begin');
    try {
      await client.query("select set_config('app.tenant_id', $1, true)", [shop.id]);
      await client.query(`set local plan_cache_mode = ${mode}`);
      await client.query(`prepare page as ${text}`);
      const given = [shop.id, ...values].map((value) => `'${String(value)}'`);
      return (await client.query(`${prefix} execute page (${given.join(', ')})`)).rows as Row[];
    } finally {
      await client.query('rollback; deallocate all');
    }
  };

  beforeAll(async () => {
    env = await createTestEnvironment();
    shop = await createOrganization(env);
    for (const { id } of [shop, await createOrganization(env)]) {
      await env.query(
        `with product as (
           insert into products (organization_id, id, sku, name, price_minor, currency)
           select $1, new_id(), 'S-' || number, 'Some', 1, 'GBP' from generate_series(1, $2) number returning id),
         level as (
           insert into stock_levels (organization_id, product_id, location_id, available)
           select $1, product.id, location.id, 5 from product, locations location
           where location.organization_id = $1 and location.is_default returning product_id, location_id)
         insert into stock_movements (organization_id, id, product_id, location_id, type, reason, actor_type, occurred_at, available_change)
         select $1, new_id(), product_id, location_id, 'adjustment', 'spec', 'system', now(), 5 from level`,
        [id, LEVELS],
      );
    }
    await env.query('vacuum analyze products, stock_levels, stock_movements');
    client = await env.connectAs('app');
    const found = 'select id, sku from products where organization_id = $1 order by id offset 1000 limit 1';
    [product] = (await env.query<{ id: string; sku: string }>(found, [shop.id])) as [typeof product];
  });
  afterAll(async () => {
    await client.end();
    await env.dispose();
  });

  it.each<[string, () => Statement]>([
    ['levels', () => listLevels([FIRST, FIRST, PAGE], NO_FILTER)],
    ['later levels', () => listLevels([product.id, LAST, PAGE], NO_FILTER)],
    ['levels of a product', () => listLevels([FIRST, FIRST, PAGE], { ...NO_FILTER, product: product.id })],
    ['levels of a sku', () => listLevels([FIRST, FIRST, PAGE], { ...NO_FILTER, sku: product.sku })],
    ['levels at a place', () => listLevels([FIRST, FIRST, PAGE], { ...NO_FILTER, location: shop.locationId })],
    ['movements', () => listMovements([LAST, PAGE], NO_FILTER)],
    ['movements of a product', () => listMovements([LAST, PAGE], { ...NO_FILTER, product: product.id })],
  ])('a page of %s reads no more than a page', async (_, statement) => {
    for (const mode of ['force_generic_plan', 'force_custom_plan']) {
      const [row] = await run<{ 'QUERY PLAN': [{ Plan: Plan }] }>(statement(), mode, 'explain (analyze, format json)');
      expect(mostRows(row!['QUERY PLAN'][0].Plan)).toBeLessThanOrEqual(PAGE);
    }
  });

  it('filters are all obeyed at once', async () => {
    const skus = async (filter: object) => {
      const page = listLevels([FIRST, FIRST, PAGE], { ...NO_FILTER, ...filter });
      return (await run<{ sku: string }>(page, 'auto')).map(({ sku }) => sku);
    };
    const { id, sku } = product;
    expect(await skus({ product: id })).toEqual([sku]);
    expect(await skus({ sku })).toEqual([sku]);
    expect(await skus({ product: id, sku, location: shop.locationId })).toEqual([sku]);
    expect(await skus({ product: id, sku: 'S-0' })).toEqual([]);
    expect(await skus({ sku, location: newId() })).toEqual([]);
    expect(await skus({ location: shop.locationId })).toHaveLength(PAGE);
    const moved = listMovements([LAST, PAGE], { ...NO_FILTER, product: id, location: shop.locationId });
    expect(await run(moved, 'auto')).toMatchObject([{ product_id: id, available_change: '5' }]);
    const unmoved = listMovements([LAST, PAGE], { ...NO_FILTER, product: id, reference: newId() });
    expect(await run(unmoved, 'auto')).toEqual([]);
  });
});
