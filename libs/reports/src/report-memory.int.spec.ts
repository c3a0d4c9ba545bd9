/** A report of 200,000 rows in a process whose heap could not hold them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';

const ROWS = 200_000;
const HEAP_MB = 64;
const PROGRAM = join(process.cwd(), 'dist/libs/reports/test/report-process.js');

interface Told {
  readonly rows: number;
  readonly bytes: number;
  readonly mostBytes: number;
  readonly tookMs: number;
}

describe('the memory of a report', () => {
  let env: TestEnvironment;

  beforeAll(async () => {
    env = await createTestEnvironment();
  });
  afterAll(() => env.dispose());

  async function reportOf(rows: number): Promise<Told> {
    const { id, locationId } = await createOrganization(env);
    await env.query(
      `insert into products (organization_id, id, sku, name, currency)
       select $1, new_id(), 'SKU-' || n, 'Product ' || n, 'GBP' from generate_series(1, $2::int) n`,
      [id, rows],
    );
    await env.query(
      `insert into stock_levels (organization_id, product_id, location_id, available)
       select $1, id, $2, 5 from products where organization_id = $1`,
      [id, locationId],
    );
    await env.query(
      `insert into stock_movements (organization_id, id, product_id, location_id, type, reason, actor_type, occurred_at, available_change)
       select $1, new_id(), id, $2, 'receipt', 'spec', 'system', now(), 5 from products where organization_id = $1`,
      [id, locationId],
    );
    await env.query('analyze products, stock_levels, stock_movements');
    const heap = `--max-old-space-size=${HEAP_MB}`;
    const variables = { ...process.env, ...env.variables, NODE_OPTIONS: '' };
    const { stdout } = await promisify(execFile)(process.execPath, [heap, PROGRAM, id], { env: variables });
    return JSON.parse(stdout) as Told;
  }

  it('does not grow with its rows', async () => {
    const [few, many] = [await reportOf(2_000), await reportOf(ROWS)];
    expect([few.rows, many.rows]).toEqual([2_000, ROWS]);
    // All rows at once would take more than the file's text does.
    expect(many.bytes).toBeGreaterThan(HEAP_MB * 1_000_000);
    expect(many.mostBytes).toBeLessThan(few.mostBytes + 20_000_000);
    expect(many.tookMs).toBeLessThan(120_000);
  }, 240_000);
});
