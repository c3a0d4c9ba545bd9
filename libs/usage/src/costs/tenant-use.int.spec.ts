/** What shards tell of the use of tenants: each tenant once, to the directory's role alone, and of it numbers alone. */
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';

const DAY = '2026-10-10T00:00:00Z';
const NEXT = '2026-10-11T00:00:00Z';
const HOUR_US = '3600000000';

describe('the use of tenants', () => {
  let env: TestEnvironment;

  beforeAll(async () => {
    env = await createTestEnvironment();
    await env.query("select make_partition('tenant_usage', '2026-10-01')");
  });

  afterAll(() => env.dispose());

  const use = (from = DAY, to = NEXT) =>
    env.query<Record<string, unknown>>('select * from tenant_use($1, $2)', [from, to]);
  const of = async (id: string) => (await use()).find((row) => row.organization_id === id);

  it('is that of the days of the period, with or without any, and of the weight that holds', async () => {
    const [busy, idle] = [await createOrganization(env), await createOrganization(env, { tier: 'starter' })];
    await env.query('insert into tenant_limits (organization_id, scheduling_weight) values ($1, 77)', [busy.id]);
    for (const [day, activity] of [
      ['2026-10-09T00:00:00Z', ''],
      [DAY, ''],
      [DAY, 'GET /v1/a'],
      [NEXT, ''],
    ]) {
      await env.query(
        `insert into tenant_days (organization_id, period_start, activity, duration_us, job_ms, database_us, bytes_out)
         values ($1, $2, $3, $4, 2, 3, 4)`,
        [busy.id, day, activity, HOUR_US],
      );
    }
    const numbers = { database_us: '3', bytes_out: '4', byte_hours: '0' };
    expect(await of(busy.id)).toEqual({
      ...{ organization_id: busy.id, epoch: 1, weight: 77, busy_us: '3600002000' },
      ...numbers,
    });
    expect(await of(idle.id)).toMatchObject({ weight: 2, busy_us: '0', database_us: '0', bytes_out: '0' });
  });

  it('counts stored bytes for the hours that they were there, from before the period and up to its end', async () => {
    const { id } = await createOrganization(env);
    const level = (at: string, bytes: number) =>
      env.query("insert into tenant_usage values ($1, 'bytes_stored', $2, $3)", [id, at, bytes]);
    await level('2026-10-02T00:00:00Z', 9_000);
    await level('2026-10-09T23:00:00Z', 10);
    await level('2026-10-10T06:00:00Z', 100);
    await level('2026-10-10T23:00:00Z', 1_000);
    await level(NEXT, 50_000);
    expect((await of(id))!.byte_hours).toBe(String(6 * 10 + 17 * 100 + 1_000));
    await level(DAY, 20); // at the very beginning
    expect((await of(id))!.byte_hours).toBe(String(6 * 20 + 17 * 100 + 1_000));
  });

  it('counts a tenant that moves where it has not left yet, and nowhere else', async () => {
    const { id } = await createOrganization(env);
    for (const [state, counts] of [
      ['open', true],
      ['fenced', true],
      ['suspended', true],
      ['arriving', false],
      ['moved', false],
    ] as const) {
      await env.query('update tenant_places set state = $2 where tenant = $1', [id, state]);
      expect([state, (await of(id)) !== undefined]).toEqual([state, counts]);
    }
  });

  it('is told to the role of the directory alone', async () => {
    for (const role of ['control', 'app', 'relay', 'monitor', 'mover'] as const) {
      const client = await env.connectAs(role);
      try {
        const asked = client.query('select * from tenant_use($1, $2)', [DAY, NEXT]).then(
          () => 'told',
          (error: unknown) => (error as { code: string }).code,
        );
        expect([role, await asked]).toEqual([role, role === 'control' ? 'told' : '42501']);
      } finally {
        await client.end();
      }
    }
  });
});
