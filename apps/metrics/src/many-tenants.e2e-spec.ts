/** A scrape with 5,000 tenants: bounded series and a bounded size. How long it takes: `npm run bench -- scrape`. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createManyTenants, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { createMetrics } from './create-metrics';

const TENANTS = 5_000;
const TOP = 20;
const MEGABYTE = 1_048_576;

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
