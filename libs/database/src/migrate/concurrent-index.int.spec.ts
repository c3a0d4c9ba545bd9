/** Concurrent index builds on a real server: over leftovers, on partitions, and after the migrator was killed in the middle. */
import { roleUrl } from '#libs/config';
import { newId } from '#libs/kernel';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import type { Client } from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { MigratorProcess } from '../../test/migrator-process';
import { TRIAL_MIGRATIONS } from '../../test/trial-migrations';
import { createIndexConcurrently } from './concurrent-index';

interface IndexRow {
  readonly oid: number;
  readonly valid: boolean;
}

const PRODUCTS = { name: 'spec_products', table: 'products', definition: '(organization_id, name)' };
const MOVEMENTS = { name: 'spec_movements', table: 'stock_movements', definition: '(organization_id, reason, id)' };

describe('a concurrent index build', () => {
  let env: TestEnvironment;
  let dataSource: DataSource;
  let runner: QueryRunner;

  const index = async (name: string) => {
    const [row] = await env.query<IndexRow>(
      'select c.oid, x.indisvalid as valid from pg_class c join pg_index x on x.indexrelid = c.oid where c.relname = $1',
      [name],
    );
    return row;
  };
  const partitions = async (table: string) => {
    const rows = await env.query<{ name: string }>(
      'select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass order by 1',
      [table],
    );
    return rows.map(({ name }) => name);
  };

  beforeAll(async () => {
    env = await createTestEnvironment();
    dataSource = await new DataSource({
      type: 'postgres',
      url: roleUrl(env.config, 'owner'),
      installExtensions: false,
    }).initialize();
    runner = dataSource.createQueryRunner();
  });

  afterAll(async () => {
    await runner.release();
    await dataSource.destroy();
    await env.dispose();
  });

  it('builds once, and leaves a valid index alone', async () => {
    await createIndexConcurrently(runner, PRODUCTS);
    const built = await index(PRODUCTS.name);
    expect(built).toMatchObject({ valid: true });
    await createIndexConcurrently(runner, PRODUCTS);
    expect(await index(PRODUCTS.name)).toEqual(built);
  });

  it('leaves no invalid index behind a build that fails, and builds anew over one that a crash left', async () => {
    const unique = { name: 'spec_unique', table: 'locations', definition: '(organization_id, name)', unique: true };
    const { id } = await createOrganization(env);
    const extra = newId();
    await env.query("insert into locations (organization_id, id, code, name) values ($1, $2, 'B', 'Main')", [
      id,
      extra,
    ]);
    await expect(createIndexConcurrently(runner, unique)).rejects.toMatchObject({ code: '23505' });
    expect(await index(unique.name)).toBeUndefined();
    // The leftover of a crash, arranged: the same build, by hand.
    await expect(
      runner.query('create unique index concurrently spec_unique on locations (organization_id, name)'),
    ).rejects.toMatchObject({ code: '23505' });
    expect(await index(unique.name)).toMatchObject({ valid: false });
    await env.query('delete from locations where id = $1', [extra]);
    await createIndexConcurrently(runner, unique);
    expect(await index(unique.name)).toMatchObject({ valid: true });
  });

  it('builds on each partition and makes the parent’s valid, also for partitions of later', async () => {
    await createIndexConcurrently(runner, MOVEMENTS);
    expect(await index(MOVEMENTS.name)).toMatchObject({ valid: true });
    const parts = await partitions(MOVEMENTS.name);
    const tables = await partitions(MOVEMENTS.table);
    expect(parts).toEqual(tables.map((table) => table.replace(MOVEMENTS.table, MOVEMENTS.name)));
    await runner.query("select make_month_partition('stock_movements', '2031-01-01')");
    expect(await partitions(MOVEMENTS.name)).toHaveLength(tables.length + 1);
    expect(await index(MOVEMENTS.name)).toMatchObject({ valid: true });
  });

  it('waits for older transactions longer than a lock timeout, and puts the timeout back', async () => {
    const writer = await env.connectAs('owner');
    await writer.query('begin; lock table locations in row exclusive mode');
    await runner.query("set lock_timeout = '20ms'");
    const building = createIndexConcurrently(runner, { ...PRODUCTS, name: 'spec_patient', table: 'locations' });
    await waiting('spec_patient', (await env.query<{ now: string }>('select now()::text as now'))[0]!.now, 100);
    await writer.query('commit');
    await building;
    await writer.end();
    expect(await index('spec_patient')).toMatchObject({ valid: true });
    expect(await runner.query('show lock_timeout')).toEqual([{ lock_timeout: '20ms' }]);
    await runner.query('set lock_timeout = 0');
  });

  it('says what is wrong: inside a transaction, no such table, a name that is taken', async () => {
    await runner.startTransaction();
    await expect(createIndexConcurrently(runner, PRODUCTS)).rejects.toThrow(/set transaction = false/);
    await runner.rollbackTransaction();
    await expect(createIndexConcurrently(runner, { ...PRODUCTS, table: 'nowhere' })).rejects.toThrow(
      /no table nowhere/,
    );
    await expect(createIndexConcurrently(runner, { ...PRODUCTS, table: 'locations' })).rejects.toThrow(
      /choose another/,
    );
    await expect(createIndexConcurrently(runner, { ...PRODUCTS, name: 'users' })).rejects.toThrow(/choose another/);
  });

  /** Resolves once a build of `name`, or its drop, has waited for a lock until `ms` after `since`. */
  async function waiting(name: string, since = '-infinity', ms = 0): Promise<number> {
    const held = async () =>
      (
        await env.query<{ pid: number }>(
          `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
           and query ilike '%index concurrently%' || $1 || '%' and clock_timestamp() > $2::timestamptz + $3 * interval '1 ms'`,
          [name, since, ms],
        )
      )[0]?.pid;
    return waitFor(held, { what: `the build of ${name} to wait for a lock`, timeoutMs: 20_000 });
  }

  async function withHeld(table: string, work: (holder: Client) => Promise<void>): Promise<void> {
    const holder = await env.connectAs('owner');
    try {
      await holder.query(`begin; lock table ${table} in row exclusive mode`);
      await work(holder);
    } finally {
      await holder.end();
    }
  }

  it('is finished by the next migrator after SIGKILL in the middle of the partitions', async () => {
    const tables = await partitions('stock_movements');
    const held = tables[2]!;
    let second: MigratorProcess | undefined;
    await withHeld(held, async (holder) => {
      const first = new MigratorProcess(env.variables);
      const pid = await waiting(held.replace('stock_movements', 'movements_type'));
      await first.kill();
      const done = await index(tables[0]!.replace('stock_movements', 'movements_type'));
      expect(done).toMatchObject({ valid: true });
      expect(await index('movements_type')).toMatchObject({ valid: false });

      // The server goes on with the statement of a process that is gone, and keeps the next migrator out until its end.
      second = new MigratorProcess(env.variables);
      await waitFor(() => second!.steps.some(({ step }) => step === 'waiting'), { what: 'the second one to wait' });
      expect(second.applied).toEqual([]);
      await env.query('select pg_terminate_backend($1)', [pid]);
      await waiting(held.replace('stock_movements', 'movements_type'));
      await holder.query('commit');
      await second.finished();
      expect(await index(tables[0]!.replace('stock_movements', 'movements_type'))).toEqual(done);
    });
    expect(await index('movements_type')).toMatchObject({ valid: true });
    expect(await partitions('movements_type')).toHaveLength(tables.length);
    const ledger = await env.query<{ name: string }>('select name from schema_migrations order by id');
    expect(ledger.map(({ name }) => name)).toEqual(TRIAL_MIGRATIONS.map(({ name }) => name));
    const invalid = await env.query('select indexrelid::regclass from pg_index where not indisvalid');
    expect(invalid).toEqual([]);
  });
});
