/**
 * Plans of all statements of the fast lanes, as they are kept: made once, without values, while tables are small. Each reaches the
 * rows of its tenant through an index, so that it stays fast when the tables have grown and nobody has analyzed them yet. Here, as
 * statements of all libs and apps are meant, and Postgres explains them without values from version 16 on.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { declaredStatements } from '#libs/database';
import { newId } from '#libs/kernel';
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import type { Client } from 'pg';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

const ROOT = join(__dirname, '../../..');

function loadStatements(): ReadonlyMap<string, string> {
  for (const file of globSync('{apps,libs}/*/src/**/*.ts', { cwd: ROOT })) {
    const path = join(ROOT, file);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- all there are, whoever adds one
    if (!path.endsWith('spec.ts') && /\btenant(Statement|Read)\(/.test(readFileSync(path, 'utf8'))) require(path);
  }
  declareStockCount();
  return declaredStatements();
}

/** Made for its caller, at each call. */
function declareStockCount(): void {
  const inventory = jest.requireActual<{ stockCountStatements(input: object): object[] }>(
    join(ROOT, 'libs/inventory/src/stock-count.statements'),
  );
  const { COUNT_PROBLEMS: problems } = jest.requireActual<{ COUNT_PROBLEMS: object }>(
    join(ROOT, 'libs/bulk/src/import/import.repository'),
  );
  const reference = { type: 'job', id: newId() };
  const origin = { actor: { type: 'system', id: null }, reason: 'count', occurredAt: new Date(), reference };
  inventory.stockCountStatements({ counts: [], origin, problems });
}

/** Index nodes below a bitmap scan have the condition; a scan by row addresses is of rows that were found before. */
function* scansWithoutTenant(node: PlanNode, tenantTables: ReadonlySet<string>): Generator<string> {
  const table = node['Relation Name'];
  const type = node['Node Type'];
  if (table !== undefined && type.endsWith('Scan') && type !== 'Tid Scan' && tenantTables.has(table)) {
    const conditions = [node, ...(node.Plans ?? [])].map((one) => one['Index Cond'] ?? '');
    if (!conditions.some((condition) => condition.includes('organization_id'))) yield `${type} of ${table}`;
  }
  for (const below of node.Plans ?? []) yield* scansWithoutTenant(below, tenantTables);
}

describe('statements of tenants', () => {
  let environment: TestEnvironment;
  let app: Client;
  let tenantTables: ReadonlySet<string>;

  beforeAll(async () => {
    environment = await createTestEnvironment();
    await createOrganization(environment);
    await environment.query('analyze');
    app = await environment.connectAs('app');
    const tables = await environment.query<{ name: string }>(
      "select attrelid::regclass::text as name from pg_attribute where attname = 'organization_id' and not attisdropped",
    );
    tenantTables = new Set(tables.map(({ name }) => name));
  });
  afterAll(async () => {
    await app.end();
    await environment.dispose();
  });

  async function planOf(text: string): Promise<PlanNode> {
    const { rows } = await app.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
      `explain (generic_plan, format json) ${text}`,
    );
    return rows[0]!['QUERY PLAN'][0]!.Plan;
  }

  it('reach their rows through an index by tenant, whatever the tables had when they were planned', async () => {
    const found: string[] = [];
    const statements = loadStatements();
    for (const [name, text] of statements) {
      for (const scan of scansWithoutTenant(await planOf(text), tenantTables)) found.push(`${name}: ${scan}`);
    }
    expect(statements.size).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });

  it('would be found if they did not', async () => {
    const text = 'select 1 from locations where organization_id = $1 and id = $2';
    expect([...scansWithoutTenant(await planOf(text), tenantTables)]).toEqual([]);
    await app.query('set enable_seqscan = on');
    expect([...scansWithoutTenant(await planOf(text), tenantTables)]).toEqual(['Seq Scan of locations']);
    await app.query('reset enable_seqscan');
  });
});
