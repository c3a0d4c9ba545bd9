/** Functions that run as the owner run nothing of their caller's, whose own names (pg_temp) would come before the catalog's. */
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';

const TRAPS = `
  create function pg_temp.trap(value pg_catalog.text) returns boolean language plpgsql as $$
  begin
    raise exception 'ran as %', current_user;
  end $$;
  create domain pg_temp.text as pg_catalog.text check (pg_temp.trap(value));
  create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.trap(value::pg_catalog.text));
  create domain pg_temp.int4 as pg_catalog.int4 check (pg_temp.trap(value::pg_catalog.text));`;

describe('Functions of the owner', () => {
  let env: TestEnvironment;

  beforeAll(async () => {
    env = await createTestEnvironment();
  });

  afterAll(() => env.dispose());

  it.each([
    { name: 'an open enter_write', enter: (id: string) => `select enter_write('${id}', 1)`, outcome: 'entered' },
    { name: 'an open enter_read', enter: (id: string) => `select enter_read('${id}')`, outcome: 'entered' },
    { name: 'a refused enter_write', enter: (id: string) => `select enter_write('${id}', 2)`, outcome: 'SY003' },
    { name: 'a refused enter_read', enter: () => 'select enter_read(gen_random_uuid())', outcome: 'SY003' },
  ])('$name evaluates no type of its caller', async ({ enter, outcome }) => {
    const { id } = await createOrganization(env);
    const client = await env.connectAs('app');
    try {
      await client.query(TRAPS);
      const entered = client.query(enter(id)).then(
        () => 'entered',
        (error: unknown) => {
          const { code, message } = error as Error & { code: string };
          return code === 'SY003' ? code : message;
        },
      );
      await expect(entered).resolves.toBe(outcome);
    } finally {
      await client.end();
    }
  });

  it.each([
    ['monitor', 'dead_letter_totals()', 'dead_letter_holders(1)'],
    ['control', 'dead_letter_holders(1)', 'dead_letter_totals()'],
  ] as const)(
    'let %s call %s alone of those that count dead letters, and evaluate none of its types',
    async (...of) => {
      const [role, own, others] = of;
      const { id } = await createOrganization(env);
      await env.query(
        `with job as (insert into jobs (organization_id, id, type, class, payload, actor_type)
         values ($1, $1, 't', 'low', '{}', 'system') returning organization_id, id, type, class)
       insert into dead_letters (organization_id, id, job_id, type, class, payload, error, attempts, failed_at)
       select organization_id, id, id, type, class, '{}', '{}', 1, now() from job`,
        [id],
      );
      const client = await env.connectAs(role);
      try {
        await client.query(TRAPS);
        await expect(client.query(`select letters from ${own}`)).resolves.toMatchObject({ rowCount: 1 });
        await expect(client.query(`select 1 from ${others}`)).rejects.toThrow('permission denied');
      } finally {
        await client.end();
      }
    },
  );

  it('let monitor alone count breakers, and say nothing of whose they are', async () => {
    const { id } = await createOrganization(env);
    await env.query(
      `insert into connections (organization_id, id, name, url, breaker_state, breaker_retry_at)
       select $1, gen_random_uuid(), n::text, 'u', case n when 1 then 'closed' else 'open' end, case when n > 1 then now() end
       from generate_series(1, 3) n`,
      [id],
    );
    const [monitor, app] = [await env.connectAs('monitor'), await env.connectAs('app')];
    try {
      await monitor.query(TRAPS);
      const { rows } = await monitor.query('select * from connection_breakers()');
      expect(rows).toEqual([{ state: 'open', connections: '2' }]);
      await expect(app.query('select * from connection_breakers()')).rejects.toThrow('permission denied');
    } finally {
      await Promise.all([monitor.end(), app.end()]);
    }
  });

  it.each([
    "tenant_usage_of_hour(array['api_calls'], 1)", // of two tenants, the second is no name
    'outbox_waiting(10)',
  ])('let monitor alone call %s, which evaluates none of its types and tells no more than figures', async (call) => {
    const [one, other] = [await createOrganization(env), await createOrganization(env)];
    await env.query(
      `insert into tenant_usage (organization_id, metric, period_start, value)
       select o, 'api_calls', date_trunc('hour', now()), 5 from unnest($1::uuid[]) o`,
      [[one.id, other.id]],
    );
    const [monitor, app] = [await env.connectAs('monitor'), await env.connectAs('app')];
    try {
      await monitor.query(TRAPS);
      const { rows, fields } = await monitor.query<Record<string, string | null>>(`select * from ${call}`);
      expect(fields.map(({ name }) => name)).toEqual(
        call.startsWith('outbox') ? ['waiting', 'oldest'] : ['tenant', 'value'],
      );
      if (!call.startsWith('outbox')) expect(rows.filter(({ tenant }) => tenant !== null)).toHaveLength(1);
      await expect(app.query(`select * from ${call}`)).rejects.toThrow('permission denied');
      await expect(monitor.query('select * from tenant_usage')).rejects.toThrow('permission denied');
      await expect(monitor.query('select * from outbox')).rejects.toThrow('permission denied');
    } finally {
      await Promise.all([monitor.end(), app.end()]);
    }
  });

  it('look names up in a path of their own, but for those that qualify every name', async () => {
    const rows = await env.query<{ name: string }>(
      `select proname::text as name from pg_proc where prosecdef and pronamespace = 'public'::regnamespace
         and not exists (select from unnest(proconfig) setting where setting like 'search_path=%, pg_temp') order by 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual(['enter_read', 'enter_write']);
  });
});
