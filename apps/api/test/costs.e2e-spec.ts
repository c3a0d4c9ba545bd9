/** Costs as operators and tenants see them: the parts of tenants on several shards are the whole bill. */
import type { CostModel } from '#libs/config';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { call, createTenant, type RunningApi, startApi, type Tenant } from './support/api-fixture';

const MODEL: CostModel = {
  currency: 'EUR',
  compute: { unit_price: 0.05, capacity: 720 },
  database: { per_month: 300 },
  storage: { per_month: 31, capacity: 4 },
  egress: { unit_price: 0.09, capacity: 100 },
  overhead: { per_month: 99.99 },
  shared: 'by_weight',
  visible_to_tenants: true,
};
const DAY = '2026-10-10';
const GIB = 1_073_741_824;

describe('costs', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let busy: Tenant;
  let idle: Tenant;

  beforeAll(async () => {
    env = await createTestEnvironment({ COST_MODEL: JSON.stringify(MODEL) });
    api = await startApi(env);
    [busy, idle] = [await createTenant(api, env), await createTenant(api, env)];
    await env.query(
      `insert into tenant_days (organization_id, period_start, activity, duration_us, job_ms, database_us, bytes_out)
       values ($1, $2, '', 3600000000, 7200000, 5, 1073741824), ($1, $2, 'GET /v1/orders', 3600000000, 0, 0, 1073741824)`,
      [busy.id, `${DAY}T00:00:00Z`],
    );
    await env.query(
      "select make_partition('tenant_usage', '2026-10-01'), make_partition('tenant_usage', '2026-09-01')",
    );
    // 1 GiB since long before, 3 GiB from noon on
    await env.query(
      "insert into tenant_usage values ($1, 'bytes_stored', $2, $4::bigint), ($1, 'bytes_stored', $3, 3 * $4::bigint)",
      [busy.id, '2026-09-05T07:00:00Z', `${DAY}T12:00:00Z`, GIB],
    );
  });

  afterAll(async () => {
    await api.stop();
    await env.dispose();
  });

  const asOperator = (path: string) =>
    call(api, 'GET', path, { headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` } });
  const ONE_DAY = `from=${DAY}&to=2026-10-11`;

  it('are charged by use, and the rest by weight, to the whole bill', async () => {
    const { status, body } = await asOperator(`/v1/admin/costs?${ONE_DAY}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      currency: 'EUR',
      from: DAY,
      to: '2026-10-11',
      shared_by: 'by_weight',
      has_more: false,
    });
    const bill = (perMonth: number) => Math.round((perMonth * 1_000_000) / 31);
    const row = (id: string) => body.data.find((each: { organization_id: string }) => each.organization_id === id);
    expect(row(busy.id)).toMatchObject({
      // 1 h of requests and 2 h of jobs, at the day's price of an hour
      compute: { direct_micros: Math.floor((bill(36) * 3) / ((720 * 1) / 31)) },
      database: { direct_micros: bill(300), shared_micros: 0 },
      // 12 h of 1 GiB and 12 h of 3 GiB, of 24 h of 4 GiB
      storage: { direct_micros: Math.floor(bill(31) / 2) },
      egress: { direct_micros: Math.floor(bill(9) / (100 / 31)) },
    });
    expect(row(idle.id)).toMatchObject({
      compute: { direct_micros: 0 },
      database: { direct_micros: 0, shared_micros: 0 },
      overhead: { direct_micros: 0 },
    });
    const sum = body.data.reduce((total: number, each: { total_micros: number }) => total + each.total_micros, 0);
    expect(sum).toBe(body.bill.total_micros);
    expect(sum).toBe([36, 300, 31, 9, 99.99].reduce((total, perMonth) => total + bill(perMonth), 0));
  });

  it('come in pages, and as CSV all at once, with the same numbers', async () => {
    const whole = (await asOperator(`/v1/admin/costs?${ONE_DAY}`)).body;
    const first = (await asOperator(`/v1/admin/costs?${ONE_DAY}&limit=1`)).body;
    expect(first.has_more).toBe(true);
    const second = (await asOperator(`/v1/admin/costs?${ONE_DAY}&limit=100&cursor=${first.next_cursor}`)).body;
    expect([...first.data, ...second.data]).toEqual(whole.data);
    const csv = await asOperator(`/v1/admin/costs?${ONE_DAY}&format=csv`);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [head, ...lines] = (csv.body as string)
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    expect(head).toHaveLength(16);
    expect(lines.map((line) => [line[4], Number(line[15])])).toEqual(
      whole.data.map((each: { organization_id: string; total_micros: number }) => [
        each.organization_id,
        each.total_micros,
      ]),
    );
    for (const line of lines) {
      expect(line.slice(5, 15).reduce((sum, micros) => sum + Number(micros), 0)).toBe(Number(line[15]));
    }
  });

  it('are shown to each tenant alone where the model says so, and otherwise are no resource', async () => {
    const all = (await asOperator(`/v1/admin/costs?${ONE_DAY}`)).body;
    for (const tenant of [busy, idle]) {
      const own = await tenant.call(api, 'GET', `/v1/usage/costs?${ONE_DAY}`);
      expect(own.status).toBe(200);
      const row = all.data.find((each: { organization_id: string }) => each.organization_id === tenant.id);
      expect(own.body).toEqual({ currency: 'EUR', from: DAY, to: '2026-10-11', shared_by: 'by_weight', ...row });
    }
    const hidden = await startApi({
      ...env,
      variables: { ...env.variables, COST_MODEL: JSON.stringify({ ...MODEL, visible_to_tenants: false }) },
    });
    const none = await startApi({ ...env, variables: { ...env.variables, COST_MODEL: '' } });
    try {
      for (const other of [hidden, none]) {
        expect(await busy.call(other, 'GET', '/v1/usage/costs')).toMatchObject({
          status: 404,
          body: { code: 'not_found' },
        });
      }
      const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
      const answer = await call(none, 'GET', '/v1/admin/costs', { headers });
      expect(answer).toMatchObject({ status: 404, body: { code: 'costs_not_configured' } });
    } finally {
      await hidden.stop();
      await none.stop();
    }
  });

  it.each([
    ['from=2026-10-10&to=2026-10-10', 'invalid_period', 'to'],
    ['from=2026-02-31', 'invalid_period', 'from'],
    ['to=2999-01-01', 'invalid_period', 'to'],
    ['from=yesterday', 'invalid_value', 'from'],
    ['cursor=x', 'invalid_cursor', 'cursor'],
  ])('are refused for %s', async (query, code, param) => {
    expect(await asOperator(`/v1/admin/costs?${query}`)).toMatchObject({ status: 400, body: { code, param } });
  });

  it('are for operators', async () => {
    expect((await busy.call(api, 'GET', '/v1/admin/costs')).status).toBe(401);
  });
});
