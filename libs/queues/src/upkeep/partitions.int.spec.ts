/** Partitions by SQL: made, counted and dropped by a date that the spec moves. */
import { newId, uuidv7LowerBound } from '#libs/kernel';
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import type { Client } from 'pg';

const PARENTS = ['audit_log', 'outbox', 'stock_movements', 'tenant_hours', 'tenant_usage'];

describe('months of partitioned tables', () => {
  let env: TestEnvironment;
  let relay: Client;
  let organization: string;

  beforeEach(async () => {
    env = await createTestEnvironment();
    relay = await env.connectAs('relay');
    organization = (await createOrganization(env)).id;
  });

  afterEach(async () => {
    await relay.end();
    await env.dispose();
  });

  const monthsOf = async (parent: string) =>
    (
      await env.query<{ name: string }>(
        'select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass order by 1',
        [parent],
      )
    ).map(({ name }) => name.slice(-6));
  const maintainAt = (today: string, ahead = 3) => env.query('select maintain_partitions($1, $2)', [ahead, today]);
  /** Drops month after month, as the worker does, on a day of the spec's choice. */
  async function retireAt(parent: string, kept: string, today: string): Promise<string[]> {
    const dropped: string[] = [];
    for (;;) {
      const [row] = await env.query<{ name: string | null }>(
        'select retire_partition($1::regclass, $2::interval, $3::timestamptz) as name',
        [parent, kept, today],
      );
      if (row!.name === null) return dropped;
      dropped.push(row!.name);
    }
  }

  it('are made three ahead whenever it is done, and head-room tells how many are left', async () => {
    const headroom = async (today: string) =>
      Object.fromEntries(
        (await env.query<{ parent: string; months: number }>('select * from partition_headroom($1)', [today])).map(
          ({ parent, months }) => [parent, months],
        ),
      );
    const all = (months: number) => Object.fromEntries(PARENTS.map((parent) => [parent, months]));
    await maintainAt('2031-11-30T23:59:59Z');
    expect(await monthsOf('tenant_usage')).toEqual(
      expect.arrayContaining(['203110', '203111', '203112', '203201', '203202']),
    );
    expect(await headroom('2031-11-30T23:59:59Z')).toEqual(all(3));
    expect(await headroom('2031-12-01T00:00:00Z')).toEqual(all(2));
    expect(await headroom('2032-02-29T12:00:00Z')).toEqual(all(0));
    expect(await headroom('2032-03-01T00:00:00Z')).toEqual(all(-1));
    await env.query('drop table outbox_203112');
    expect(await headroom('2031-11-30T00:00:00Z')).toEqual({ ...all(3), outbox: 0 });
  });

  it('are days of the table that is kept by the day, a week ahead, and go one by one', async () => {
    const headroom = async (today: string) =>
      (await env.query<{ parent: string; days: number }>('select * from partition_headroom_days($1)', [today]))[0];
    await maintainAt('2031-12-28T23:59:59Z');
    const made = await env.query<{ name: string }>(
      "select relname as name from pg_class where relname like 'tenant\\_minutes\\_203%' and relkind = 'r' order by 1",
    );
    expect(made.map(({ name }) => name.slice(-8))).toEqual([
      ...['20311227', '20311228', '20311229', '20311230', '20311231'],
      ...['20320101', '20320102', '20320103', '20320104'],
    ]);
    expect(await headroom('2031-12-28T23:59:59Z')).toEqual({ parent: 'tenant_minutes', days: 7 });
    expect(await headroom('2032-01-04T00:00:00Z')).toEqual({ parent: 'tenant_minutes', days: 0 });
    expect(await headroom('2032-01-05T00:00:00Z')).toEqual({ parent: 'tenant_minutes', days: -1 });
    for (const minute of ['2031-12-31T23:59:00Z', '2032-01-01T00:00:00Z']) {
      await env.query("insert into tenant_minutes (organization_id, period_start, activity) values ($1, $2, '')", [
        organization,
        minute,
      ]);
    }
    const left = () =>
      env.query<{ n: string }>("select count(*) as n from tenant_minutes where period_start > '2031-01-01'");
    expect(await retireAt('tenant_minutes', '3 days', '2032-01-03T23:59:59Z')).not.toContain('tenant_minutes_20311231');
    expect(await left()).toEqual([{ n: '2' }]);
    expect(await retireAt('tenant_minutes', '3 days', '2032-01-04T00:00:00Z')).toEqual(['tenant_minutes_20311231']);
    expect(await left()).toEqual([{ n: '1' }]);
    await expect(relay.query("select retire_partition('tenant_minutes', '23 hours')")).rejects.toMatchObject({
      code: '22023',
    });
  });

  it('are built beside their parent, so that nobody who reads or writes it waits', async () => {
    const busy = await env.connectAs('app');
    try {
      await busy.query('begin');
      await busy.query("select set_config('app.tenant_id', $1, true)", [organization]);
      await busy.query("insert into tenant_usage values ($1, 'api_calls', now(), 1)", [organization]);
      const { rows } = await relay.query<{ made: number }>('select maintain_partitions(4) as made');
      expect(rows[0]!.made).toBe(PARENTS.length);
      await busy.query('commit');
    } finally {
      await busy.end();
    }
  });

  it('go when they ended long enough ago, oldest first, and not a day sooner', async () => {
    await maintainAt('2031-02-01T00:00:00Z');
    const before = await monthsOf('tenant_usage');
    const usage = () =>
      env.query<{ n: string }>("select count(*) as n from tenant_usage where period_start < '2032-01-01'");
    for (const month of ['2031-01-15', '2031-02-15']) {
      await env.query("insert into tenant_usage values ($1, 'api_calls', $2, 1)", [organization, `${month}T00:00:00Z`]);
    }
    const old = before.filter((month) => month < '203101').map((month) => `tenant_usage_${month}`);
    expect(await retireAt('tenant_usage', '13 months', '2032-02-29T23:59:59Z')).toEqual(old);
    expect(await usage()).toEqual([{ n: '2' }]);
    expect(await retireAt('tenant_usage', '13 months', '2032-03-01T00:00:00Z')).toEqual(['tenant_usage_203101']);
    expect(await usage()).toEqual([{ n: '1' }]);
    expect(await monthsOf('audit_log')).toEqual(before);
    const gone = await env.query("select from pg_class where relname = 'tenant_usage_203101'");
    expect(gone).toEqual([]);
  });

  it('of the outbox stay while any tenant has a row in them that was not published', async () => {
    const today = '2035-06-15T00:00:00Z';
    await maintainAt('2035-02-01T00:00:00Z');
    const insert = (month: string, published: boolean) =>
      env.query(
        `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload, published_at)
         values ($1, $2, 't', 'a', $3, '{}', $4)`,
        [organization, uuidv7LowerBound(Date.parse(`${month}-10T00:00:00Z`)), newId(), published ? new Date() : null],
      );
    await insert('2035-01', false);
    await insert('2035-02', true);
    const dropped = await retireAt('outbox', '7 days', today);
    expect(dropped).toContain('outbox_203502');
    expect(dropped).not.toContain('outbox_203501');
    await env.query('update outbox set published_at = now() where published_at is null');
    expect(await retireAt('outbox', '7 days', today)).toEqual(['outbox_203501']);
  });

  it('are dropped by the relay, but none that are young and none of a table that is kept for ever', async () => {
    await env.query("select make_month_partition('audit_log', '2020-01-01')");
    const retire = (parent: string, kept: string) =>
      relay.query<{ name: string | null }>('select retire_partition($1, $2::interval) as name', [parent, kept]);
    expect((await retire('audit_log', '13 months')).rows).toEqual([{ name: 'audit_log_202001' }]);
    expect((await retire('audit_log', '13 months')).rows).toEqual([{ name: null }]);
    await expect(retire('stock_movements', '13 months')).rejects.toMatchObject({ code: '42501' });
    await expect(retire('users', '13 months')).rejects.toMatchObject({ code: '42501' });
    await expect(retire('audit_log', '1 day')).rejects.toMatchObject({ code: '22023' });
    await expect(retire('outbox', '-1 years')).rejects.toMatchObject({ code: '22023' });
    const early = relay.query("select retire_partition('audit_log'::regclass, '13 months', '2099-01-01')");
    await expect(early).rejects.toMatchObject({ code: '42501' });
    const app = await env.connectAs('app');
    await expect(app.query("select retire_partition('audit_log', '13 months')")).rejects.toMatchObject({
      code: '42501',
    });
    await app.end();
  });

  it('wait for a lock half a second at most, so that they hold nobody up', async () => {
    await env.query("select make_month_partition('audit_log', '2020-01-01')");
    const reader = await env.connectAs('app');
    try {
      await reader.query('begin; select count(*) from audit_log');
      const retired = relay.query("select retire_partition('audit_log', '13 months')");
      await expect(retired).rejects.toMatchObject({ code: '55P03' });
    } finally {
      await reader.query('rollback');
      await reader.end();
    }
    await expect(relay.query("select retire_partition('audit_log', '13 months')")).resolves.toBeDefined();
  });
});
