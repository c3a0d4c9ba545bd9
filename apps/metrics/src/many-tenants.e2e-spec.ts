/** 5,000 tenants: a scrape of bounded series and size (how long it takes: `npm run bench -- scrape`), and a dashboard that sums them up. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createManyTenants, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { createMetrics } from './create-metrics';
import type { PlatformView, TenantsView } from './dashboard/dashboard.shape';

const TENANTS = 5_000;
const TOP = 20;
const MEGABYTE = 1_048_576;
/** Minutes in which every tenant did something. */
const MINUTES = 5;
/** Of the machine that runs the specs beside others; a look takes a second of it. */
const PATIENCE_MS = 20_000;

describe('the metrics process with 5,000 tenants', () => {
  let env: TestEnvironment;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    env = await createTestEnvironment({ METRICS_TOP_TENANTS: String(TOP), METRICS_COLLECT_MS: '300000' });
    await createManyTenants(env, TENANTS);
    app = await createMetrics({ ...env.config, DATABASE_PROBE_MS: 10_000 });
    await app.init();
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  /** The n-th tenant calls n times a minute, each time as long as the others of its thousand. */
  const beBusy = () =>
    env.query(
      `with tenants as (select id, split_part(slug, '-', 2)::integer as n from organizations),
       minutes as (
         insert into tenant_minutes (organization_id, period_start, activity, calls, latencies)
         select id, date_trunc('minute', now(), 'UTC') - make_interval(mins => m), activity, n, array[100 + n / 1000, n]
         from tenants, generate_series(0, $1 - 1) m, unnest(array['', 'GET /v1/orders']) activity
         returning organization_id, period_start, activity, calls, latencies),
       hours as (
         insert into tenant_hours (organization_id, period_start, activity, calls, latencies)
         select organization_id, date_trunc('hour', period_start, 'UTC'), activity, sum(calls), merged_sketch(latencies)
         from minutes group by 1, 2, 3)
       insert into tenant_days (organization_id, period_start, activity, calls, latencies)
       select organization_id, date_trunc('day', period_start, 'UTC'), activity, sum(calls), merged_sketch(latencies)
       from minutes group by 1, 2, 3`,
      [MINUTES],
    );

  it('is summed up for the dashboard in bounded time, and every look finds the same sums', async () => {
    await beBusy();
    const began = performance.now();
    const ask = async <View>(path: string) => {
      const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
      return (await app.inject({ url: `/v1/dashboard/${path}`, headers })).json<View>();
    };
    const calls = (MINUTES * TENANTS * (TENANTS + 1)) / 2;
    const [hour, month, table, week] = await Promise.all([
      ask<PlatformView>('platform?range=1h'),
      ask<PlatformView>('platform?range=30d'),
      ask<TenantsView>('tenants?range=1h&sort=calls&limit=2'),
      ask<TenantsView>('tenants?range=7d&sort=p95&search=Many 49&limit=100'),
    ]);
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
    for (const { totals } of [hour, month]) expect(totals.calls).toBe(calls);
    expect(hour.series.map((point) => point.calls)).toEqual(Array(MINUTES).fill(calls / MINUTES));
    expect(month.budgets.find(({ tier, objective }) => tier === 'free' && objective === 'latency')).toMatchObject({
      ...{ events: calls, bad: 0 },
    });
    expect(table).toMatchObject({ matches: TENANTS, has_more: true, missing: [] });
    expect(table.data.map((row) => [row.slug, row.calls])).toEqual([
      ['many-5000', MINUTES * 5_000],
      ['many-4999', MINUTES * 4_999],
    ]);
    expect(week.matches).toBe(111); // Many 49, 490 to 499, 4900 to 4999
  });

  const scrape = async () => (await app.inject({ url: '/metrics' })).body;

  it('shows 20 of them and other by each figure, in less than a megabyte, and the sum is right', async () => {
    const body = await scrape();
    expect(body).toMatch(/^stockyard_organizations\{state="active"\} 5000$/m);
    const series = (name: string) =>
      body.split('\n').filter((line) => line.startsWith(`${name}{`)).map((line) => Number(line.split(' ')[1])); // prettier-ignore
    const all = (TENANTS * (TENANTS + 1)) / 2;
    for (const [name, sum] of [
      ['stockyard_tenant_hour_api_calls', all],
      ['stockyard_tenant_hour_job_seconds', all / 1_000],
      ['stockyard_tenant_hour_refusals', 2 * all], // of a policy and of the gate
    ] as const) {
      const values = series(name);
      expect(values).toHaveLength(TOP + 1);
      expect(values.reduce((total, value) => total + value, 0)).toBeCloseTo(sum);
    }
    expect(Math.max(...series('stockyard_tenant_hour_api_calls').slice(0, TOP))).toBe(TENANTS);
    expect(Buffer.byteLength(body)).toBeLessThan(MEGABYTE);
    const ids = new Set(body.match(/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g));
    expect(ids.size).toBe(TOP); // the last 20 use most of everything
  });
});
