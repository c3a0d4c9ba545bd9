/** The schema itself: functions agree with the code, partitions hold what they should, migrations go down and up again. */
import { roleUrl } from '#libs/config';
import { isUuid, newId, uuidv7LowerBound, uuidv7Time } from '#libs/kernel';
import { SHARD_BUCKETS, shardKeyOf } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { MIGRATIONS } from '#migrations';
import { DataSource } from 'typeorm';
import { checkWall } from '../wall/wall-check';
import { migrate } from './migrate';

describe('the schema', () => {
  let env: TestEnvironment;

  beforeAll(async () => {
    env = await createTestEnvironment();
  });

  afterAll(() => env.dispose());

  it('computes the shard key of an organization as the code does, and spreads them', async () => {
    const ids = Array.from({ length: 2_000 }, newId);
    const rows = await env.query<{ id: string; key: number }>(
      'select id, calculate_shard_key(id::uuid) as key from unnest($1::text[]) as id',
      [ids],
    );
    expect(rows.map(({ key }) => key)).toEqual(ids.map(shardKeyOf));
    expect(rows.every(({ key }) => key >= 0 && key < SHARD_BUCKETS)).toBe(true);
    expect(new Set(rows.map(({ key }) => key)).size).toBeGreaterThan(800);
  });

  it('makes UUIDv7 ids of its own, of the present time', async () => {
    const before = Date.now() - 2_000;
    const rows = await env.query<{ id: string }>('select new_id() as id from generate_series(1, 500)');
    expect(new Set(rows.map(({ id }) => id)).size).toBe(500);
    for (const { id } of rows) {
      expect([isUuid(id), id[14], '89ab'.includes(id[19]!)]).toEqual([true, '7', true]);
      expect(uuidv7Time(id)).toBeGreaterThan(before);
      expect(uuidv7Time(id)).toBeLessThan(Date.now() + 2_000);
    }
  });

  it('bounds the partition of a month by the least id of its first millisecond', async () => {
    for (const month of ['2026-01-01', '2026-12-01', '2030-02-01']) {
      const [row] = await env.query<{ bound: string }>('select month_uuid($1::date) as bound', [month]);
      expect(row!.bound).toBe(uuidv7LowerBound(Date.parse(`${month}T00:00:00Z`)));
    }
  });

  it('keeps a row in the partition of its month, and makes coming months once, walled in', async () => {
    const { id } = await createOrganization(env);
    await env.query(
      "insert into audit_log (organization_id, id, actor_type, action, target_type) values ($1, $2, 'system', 'a', 't')",
      [id, newId()],
    );
    const month = new Date().toISOString().slice(0, 7).replace('-', '');
    const [row] = await env.query<{ partition: string }>(
      'select tableoid::regclass::text as partition from audit_log where organization_id = $1',
      [id],
    );
    expect(row!.partition).toBe(`audit_log_${month}`);
    const relay = await env.connectAs('relay');
    try {
      const made = async (months: number) =>
        (await relay.query<{ made: number }>('select maintain_partitions($1) as made', [months])).rows[0]!.made;
      expect(await made(3)).toBe(0);
      expect(await made(5)).toBe(2 * 5);
      expect(await made(5)).toBe(0);
      await expect(relay.query("select make_month_partition('outbox', '2031-01-01')")).rejects.toMatchObject({
        code: '42501',
      });
    } finally {
      await relay.end();
    }
    const app = await env.connectAs('app');
    try {
      await expect(checkWall(app)).resolves.toEqual([]);
    } finally {
      await app.end();
    }
  });

  it('migrates concurrently as if once, and goes down and up again', async () => {
    const options = { config: env.config, migrations: MIGRATIONS };
    const upToDate = [{ shard: 'main', applied: [] }];
    const migrators = Promise.all([migrate(options), migrate(options), migrate(options)]);
    await expect(migrators).resolves.toEqual([upToDate, upToDate, upToDate]);
    const owner = await new DataSource({
      type: 'postgres',
      url: roleUrl(env.config, 'owner'),
      migrations: MIGRATIONS,
      migrationsTableName: 'schema_migrations',
      installExtensions: false,
    }).initialize();
    try {
      for (const _ of MIGRATIONS) await owner.undoLastMigration({ transaction: 'none' }); // one of them drops an index concurrently
    } finally {
      await owner.destroy();
    }
    const left = await env.query<{ relname: string }>(
      "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'schema_migrations'",
    );
    expect(left).toEqual([]);
    const applied = MIGRATIONS.map(({ name }) => name);
    await expect(migrate(options)).resolves.toEqual([{ shard: 'main', applied }]);
  });
});
