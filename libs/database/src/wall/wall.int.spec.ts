/**
 * The wall between tenants, attacked: for every tenant table, as the application's role and as tenant A, every way to
 * read, write or learn of B's rows. And the check that guards it: each way to break the wall is seen.
 */
import { Test } from '@nestjs/testing';
import { ConfigModule } from '#libs/config';
import { newId } from '#libs/kernel';
import { TenancyModule } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment, type TestOrganization } from '#libs/testing';
import type { Client } from 'pg';
import { DatabaseModule } from '../database.module';
import { checkWall } from './wall-check';

type Row = Record<string, unknown>;

/** One row of every tenant table for an organization, in the order of foreign keys. `tenant_limits` needs its organization. */
function fixtures(organization: TestOrganization): readonly (readonly [table: string, row: Row])[] {
  const [product, user, order, line, back, job] = Array.from({ length: 6 }, newId);
  const now = new Date();
  const actor = { actor_type: 'system' };
  const money = { currency: 'GBP', total_minor: 1, occurred_at: now };
  const event = { topic: 't', aggregate_type: 'a', aggregate_id: newId(), payload: {} };
  return [
    ['tenant_limits', { max_users: 3 }],
    ['users', { id: user, email: 'a@example.com', name: 'A', role: 'owner', password_hash: 'x' }],
    [
      'refresh_tokens',
      { id: newId(), user_id: user, family_id: newId(), token_hash: Buffer.from('x'), expires_at: now },
    ],
    ['api_keys', { id: newId(), name: 'k', secret_hash: Buffer.from('x'), hint: 'abcd', role: 'owner' }],
    ['products', { id: product, sku: 'SAME', name: 'P', currency: 'GBP' }],
    ['stock_levels', { product_id: product, location_id: organization.locationId, available: 5 }],
    ['stock_crossings', { product_id: product, location_id: organization.locationId }],
    [
      'stock_alerts',
      {
        ...{ id: newId(), product_id: product, location_id: organization.locationId },
        ...{ threshold: 5, available: 5, lowest_available: 5, resolved_at: now },
      },
    ],
    [
      'stock_movements',
      {
        id: newId(),
        product_id: product,
        location_id: organization.locationId,
        type: 'adjustment',
        reason: 'r',
        occurred_at: now,
        available_change: 5,
        ...actor,
      },
    ],
    ['orders', { id: order, state: 'draft', ...money }],
    [
      'order_lines',
      {
        id: line,
        order_id: order,
        line_number: 1,
        kind: 'goods',
        product_id: product,
        location_id: organization.locationId,
        quantity: 1,
        unit_price_minor: 1,
        amount_minor: 1,
      },
    ],
    ['returns', { id: back, order_id: order, reason: 'r', ...money }],
    [
      'return_lines',
      {
        id: newId(),
        return_id: back,
        line_number: 1,
        order_line_id: line,
        kind: 'goods',
        product_id: product,
        location_id: organization.locationId,
        quantity: 1,
        unit_price_minor: 1,
        amount_minor: 1,
        disposition: 'restock',
      },
    ],
    ['idempotency_keys', { key: 'SAME', fingerprint: 'f', status: 201, body: {}, expires_at: now }],
    ['outbox', { id: newId(), ...event }],
    ['inbox', { consumer: 'c', message_id: newId() }],
    ['jobs', { id: job, type: 't', class: 'bulk', payload: {}, ...actor }],
    [
      'dead_letters',
      { id: newId(), job_id: job, type: 't', class: 'bulk', payload: {}, error: {}, attempts: 1, failed_at: now },
    ],
    ['job_line_errors', { job_id: job, line: 1, code: 'c', message: 'm' }],
    ['job_log', { job_id: job, line: 1, level: 'info', message: 'm' }],
    [
      'schedules',
      { id: newId(), name: 'SAME', cron: '* * * * *', time_zone: 'UTC', job_type: 't', payload: {}, next_run_at: now },
    ],
    ['connections', { id: newId(), name: 'SAME', url: 'https://a.example.com/' }],
    ['tenant_usage', { metric: 'api_calls', period_start: now, value: 1 }],
    ['tenant_minutes', { period_start: now, activity: '', calls: 1 }],
    ['tenant_hours', { period_start: now, activity: '', calls: 1 }],
    ['tenant_days', { period_start: now, activity: '', calls: 1 }],
    ['usage_writers', { writer: newId(), last_flush: 1 }],
    ['stored_files', { key: 'a.csv', bytes: 1 }],
    ['audit_log', { id: newId(), action: 'a', target_type: 't', ...actor }],
  ];
}

const insertSql = (table: string, row: Row): [string, unknown[]] => {
  const columns = Object.keys(row);
  const holes = columns.map((_, index) => `$${index + 1}`).join(', ');
  return [`insert into ${table} (${columns.join(', ')}) values (${holes})`, Object.values(row)];
};

describe('the wall', () => {
  let env: TestEnvironment;
  let app: Client;
  let a: TestOrganization;
  let b: TestOrganization;
  const rowsOf = new Map<string, Map<string, Row>>();
  let tables: string[];
  let partitions: string[];

  /** Runs statements as tenant A in a transaction that is always rolled back; the SQLSTATE when one fails. */
  async function asA(
    sql: string,
    values: unknown[] = [],
  ): Promise<{ rows: Row[]; rowCount: number; code: string | null }> {
    await app.query('begin');
    try {
      await app.query("select set_config('app.tenant_id', $1, true)", [a.id]);
      const { rows, rowCount } = await app.query(sql, values);
      return { rows: rows as Row[], rowCount: rowCount ?? 0, code: null };
    } catch (error) {
      return { rows: [], rowCount: 0, code: (error as { code: string }).code };
    } finally {
      await app.query('rollback');
    }
  }

  const fresh = (row: Row): Row => ({
    ...row,
    ...('id' in row ? { id: newId() } : {}),
    ...('line_number' in row ? { line_number: 99 } : {}), // so that no unique constraint speaks before the foreign key
  });
  const row = (organization: TestOrganization, table: string): Row => rowsOf.get(organization.id)!.get(table)!;

  beforeAll(async () => {
    env = await createTestEnvironment();
    [a, b] = [await createOrganization(env), await createOrganization(env)];
    for (const organization of [a, b]) {
      const kept = new Map<string, Row>([
        ['locations', { organization_id: organization.id, id: organization.locationId, code: 'MAIN', name: 'Main' }],
      ]);
      for (const [table, values] of fixtures(organization)) {
        const whole = { organization_id: organization.id, ...values };
        await env.query(...insertSql(table, whole));
        kept.set(table, whole);
      }
      rowsOf.set(organization.id, kept);
    }
    const found = await env.query<{ relname: string; relispartition: boolean }>(
      `select c.relname, c.relispartition from pg_class c join pg_attribute t on t.attrelid = c.oid and t.attname = 'organization_id'
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`,
    );
    tables = found.filter((each) => !each.relispartition).map((each) => each.relname);
    partitions = found.filter((each) => each.relispartition).map((each) => each.relname);
    app = await env.connectAs('app');
  });

  afterAll(async () => {
    await app.end();
    await env.dispose();
  });

  it('has a row of every tenant table to attack', () => {
    expect([...rowsOf.get(a.id)!.keys()].sort()).toEqual(tables);
    expect(partitions.length).toBeGreaterThan(3);
  });

  it('shows A its own row in every table and none of B’s, by any predicate, join or aggregate', async () => {
    for (const table of tables) {
      expect([table, (await asA(`select * from ${table} where organization_id = $1`, [b.id])).rowCount]).toEqual([
        table,
        0,
      ]);
      const all = await asA(`select organization_id from ${table}`);
      expect([table, all.rowCount > 0 && all.rows.every((each) => each.organization_id === a.id)]).toEqual([
        table,
        true,
      ]);
      const joined = await asA(`select x.* from ${table} x join ${table} y on x.organization_id <> y.organization_id`);
      expect([table, joined.rowCount]).toEqual([table, 0]);
      const copied = await asA(`select count(*)::int as n from ${table} where organization_id is distinct from $1`, [
        a.id,
      ]);
      expect([table, copied.rows[0]?.n]).toEqual([table, 0]);
    }
  });

  it('lets A insert no row for B, with or without ON CONFLICT', async () => {
    for (const table of tables) {
      for (const tail of ['', ' on conflict do nothing']) {
        const [sql, values] = insertSql(table, fresh(row(b, table)));
        expect([table, (await asA(sql + tail, values)).code]).toEqual([table, '42501']);
      }
    }
  });

  it('lets A update or delete none of B’s rows, nor hand a row of its own to B', async () => {
    for (const table of tables) {
      const update = await asA(`update ${table} set organization_id = organization_id where organization_id = $1`, [
        b.id,
      ]);
      expect([table, update.rowCount]).toEqual([table, 0]);
      const handOver = await asA(`update ${table} set organization_id = $1`, [b.id]);
      expect([table, ['42501', '23503'].includes(handOver.code ?? '') && handOver.rowCount === 0]).toEqual([
        table,
        true,
      ]);
      const removal = await asA(`delete from ${table} where organization_id = $1`, [b.id]);
      expect([table, removal.rowCount]).toEqual([table, 0]);
      expect([table, (await asA(`truncate ${table}`)).code]).toEqual([table, '42501']);
    }
    for (const table of tables) {
      const [left] = await env.query<{ n: number }>(
        `select count(*)::int as n from ${table} where organization_id = $1`,
        [b.id],
      );
      expect([table, left!.n]).toEqual([table, 1]);
    }
  });

  it('keeps A out of every partition', async () => {
    for (const partition of partitions) {
      expect([partition, (await asA(`select * from ${partition}`)).code]).toEqual([partition, '42501']);
      expect([partition, (await asA(`delete from ${partition}`)).code]).toEqual([partition, '42501']);
    }
  });

  it('lets no foreign key of A point at a row of B', async () => {
    const keys = await env.query<{ child: string; parent: string; own: string[]; other: string[] }>(
      `select k.conrelid::regclass::text as child, k.confrelid::regclass::text as parent,
         array(select a.attname::text from unnest(k.conkey) n join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n) as own,
         array(select a.attname::text from unnest(k.confkey) n join pg_attribute a on a.attrelid = k.confrelid and a.attnum = n) as other
       from pg_constraint k join pg_class c on c.oid = k.conrelid
       where k.contype = 'f' and not c.relispartition and k.confrelid <> 'organizations'::regclass`,
    );
    expect(keys.length).toBeGreaterThan(8);
    for (const { child, parent, own, other } of keys) {
      const values = fresh(row(a, child));
      own.forEach((column, index) => {
        if (column !== 'organization_id') values[column] = row(b, parent)[other[index]!];
      });
      const outcome = await asA(...insertSql(child, values));
      expect([`${child} → ${parent}`, ['23503', '42501'].includes(outcome.code ?? '')]).toEqual([
        `${child} → ${parent}`,
        true,
      ]);
    }
  });

  it('does not tell A by a unique constraint that B has the same value', async () => {
    const product = { ...fresh(row(a, 'products')), sku: 'ONLY-B' };
    await env.query('update products set sku = $2 where organization_id = $1', [b.id, 'ONLY-B']);
    expect(await asA(...insertSql('products', product))).toMatchObject({ code: null, rowCount: 1 });
  });

  it('gives A no way around: no role to take, no policy to switch off, no tenant means no rows', async () => {
    for (const sql of [
      'set role postgres',
      'set role stockyard_owner',
      'set role stockyard_relay',
      'set session authorization postgres',
    ]) {
      expect([sql, (await asA(sql)).code]).toEqual([sql, '42501']);
    }
    expect((await asA('set local row_security = off; select * from users')).code).toBe('42501');
    expect((await asA('alter table users disable row level security')).code).toBe('42501');
    for (const table of tables) {
      expect([table, (await app.query(`select * from ${table}`)).rowCount]).toEqual([table, 0]);
    }
    expect((await asA('select * from organizations')).rows.map((each) => each.id)).toEqual([a.id]);
  });

  it('shows the relay the outbox only, and the control role the directory only', async () => {
    const allowed = { relay: ['outbox'], control: ['organizations', 'tenant_limits'], monitor: [] as string[] };
    for (const role of ['relay', 'control', 'monitor'] as const) {
      const client = await env.connectAs(role);
      try {
        for (const table of [...tables, 'organizations']) {
          const code = await client.query(`select * from ${table}`).then(
            () => 'allowed',
            (error: unknown) => (error as { code: string }).code,
          );
          expect([role, table, code]).toEqual([role, table, allowed[role].includes(table) ? 'allowed' : '42501']);
        }
      } finally {
        await client.end();
      }
    }
  });

  describe('the check', () => {
    const BREACHES: readonly (readonly [what: string, sql: string, problem: RegExp])[] = [
      ['row security switched off', 'alter table products disable row level security', /not enabled and forced/],
      ['row security not forced', 'alter table products no force row level security', /not enabled and forced/],
      ['a policy for everyone', 'create policy leak on products using (true)', /without its tenant/],
      ['no policy at all', 'drop policy tenant on products', /no tenant policy/],
      [
        'a new table without anything',
        'create table spec_of_the_wall (organization_id uuid not null, id uuid primary key)',
        /primary key does not begin/,
      ],
      [
        'a unique constraint over tenants',
        'create unique index leak on products (sku)',
        /does not carry organization_id/,
      ],
      [
        'a foreign key without its tenant',
        `create unique index p_id on products (organization_id, id, sku); alter table products add column twin uuid;
         create unique index twin_key on products (id); alter table products add constraint twin_fk foreign key (twin) references products (id)`,
        /foreign key twin_fk does not carry/,
      ],
      ['TRUNCATE for the application', 'grant truncate on products to stockyard_app', /TRUNCATE is granted/],
      ['a view that runs as its owner', 'create view leak as select * from products', /security_invoker/],
      ['a materialized view', 'create materialized view leak as select * from products', /no policies/],
      ['a table that the application owns', 'alter table products owner to stockyard_app', /owned by the serving role/],
    ];

    it('finds the wall standing after the migrations', async () => {
      await expect(checkWall(app)).resolves.toEqual([]);
    });

    it.each(BREACHES)('sees %s', async (_what, sql, problem) => {
      const owner = await env.connectAs('owner');
      const admin = await env.query<{ name: string }>('select current_user as name');
      expect(admin[0]!.name).toBe('postgres');
      try {
        await owner.query('begin');
        // Changing an owner needs membership, so that breach is arranged by the superuser instead.
        const client = sql.includes('owner to') ? undefined : owner;
        if (client) {
          await client.query(sql);
          expect((await checkWall(client)).some((violation) => problem.test(violation.problem))).toBe(true);
        } else {
          await env.query(sql);
          expect((await checkWall(app)).some((violation) => problem.test(violation.problem))).toBe(true);
          await env.query('alter table products owner to stockyard_owner');
        }
      } finally {
        await owner.query('rollback');
        await owner.end();
      }
    });

    it('sees a partition that is granted', async () => {
      await env.query(`grant select on ${partitions[0]!} to stockyard_app`);
      expect((await checkWall(app)).map((violation) => violation.problem)).toContain(
        'partition is granted to stockyard_app',
      );
      await env.query(`revoke all on ${partitions[0]!} from stockyard_app`);
    });

    it('keeps a process from starting while the wall is broken', async () => {
      await env.query('alter table products no force row level security');
      const module = await Test.createTestingModule({
        imports: [
          ConfigModule.forRoot(env.config),
          TenancyModule,
          DatabaseModule.forRoot({ config: env.config, applicationName: 'spec' }),
        ],
      }).compile();
      try {
        await expect(module.init()).rejects.toThrow(/products: row-level security is not enabled and forced/);
      } finally {
        await env.query('alter table products force row level security');
        await module.close();
      }
    });
  });
});
