/**
 * What a tenant did, over real processes of every kind: each number against what the test's client counted itself, whichever of
 * two metrics processes answers.
 */
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigModule } from '#libs/config';
import { newId } from '#libs/kernel';
import { MessagingModule, PlatformQuestions } from '#libs/messaging';
import { Directory } from '#libs/tenancy';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createMetrics } from '../../metrics/src/create-metrics';
import { createWorker } from '../../worker/src/create-worker';
import { type Answer, createTenant, type RunningApi, startApi, type Tenant } from './support/api-fixture';

interface Point {
  readonly period_start: string;
  readonly activity: string | null;
  readonly calls: number;
  readonly errors: number;
  readonly refusals: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly queries: number;
  readonly database_milliseconds: number;
  readonly job_milliseconds: number;
  readonly bytes_stored: number | null;
  readonly latency_milliseconds: { readonly sum: number; readonly p50: number | null; readonly p99: number | null };
}

describe('the usage of a tenant as a series', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let worker: NestFastifyApplication;
  const metrics: NestFastifyApplication[] = [];
  let tenant: Tenant;
  const sent = new Map<string, { calls: number; bytesIn: number; bytesOut: number; slowestMs: number }>();

  /** Calls as the tenant, and counts what an observer of the wire sees. */
  const observed = async (method: string, path: string, template: string, body?: unknown): Promise<Answer> => {
    const seen = sent.get(`${method} ${template}`) ?? { calls: 0, bytesIn: 0, bytesOut: 0, slowestMs: 0 };
    sent.set(`${method} ${template}`, seen);
    const text = body === undefined ? '' : JSON.stringify(body);
    const began = performance.now();
    const response = await fetch(api.url + path, {
      method,
      headers: { ...tenant.headers, 'idempotency-key': newId(), ...(text && { 'content-type': 'application/json' }) },
      ...(text && { body: text }),
    });
    const answer = Buffer.from(await response.arrayBuffer());
    seen.slowestMs = Math.max(seen.slowestMs, performance.now() - began);
    seen.calls += 1;
    seen.bytesIn += Buffer.byteLength(text);
    seen.bytesOut += answer.byteLength;
    return {
      status: response.status,
      headers: response.headers,
      body: JSON.parse(answer.toString() || 'null') as unknown,
    };
  };

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50', USAGE_FLUSH_MS: '100' });
    for (let replica = 0; replica < 2; replica += 1) {
      const app = await createMetrics(env.config);
      await app.init();
      metrics.push(app);
    }
    api = await startApi(env);
    worker = await createWorker(env.config);
    tenant = await createTenant(api, env);
    for (let each = 0; each < 5; each += 1) {
      const product = { sku: `S-${each}`, name: 'Zelt für zwei', currency: 'EUR', price_minor: 100 };
      expect((await observed('POST', '/v1/products', '/v1/products', product)).status).toBe(201);
    }
    for (let each = 0; each < 7; each += 1) await observed('GET', `/v1/products?limit=${each + 1}`, '/v1/products');
    for (let each = 0; each < 3; each += 1)
      expect((await observed('GET', `/v1/orders/${newId()}`, '/v1/orders/:id')).status).toBe(404);
    const job = await observed('POST', '/v1/exports', '/v1/exports', { resource: 'products', format: 'csv' });
    await waitFor(
      async () => (await observed('GET', `/v1/jobs/${job.body.id}`, '/v1/jobs/:id')).body.state === 'completed',
      { what: 'the export' },
    );
    await waitFor(
      async () => {
        const calls = (await series('granularity=day')).data[0]?.calls ?? 0;
        return calls >= [...sent.values()].reduce((sum, each) => sum + each.calls, 0);
      },
      { what: 'the calls to be counted', timeoutMs: 20_000 },
    );
  });

  afterAll(async () => {
    await worker.close();
    await api.stop();
    await Promise.all(metrics.map((app) => app.close()));
    await env.dispose();
  });

  const series = async (query: string) => {
    const { status, body } = await tenant.call(api, 'GET', `/v1/usage?${query}`);
    expect([query, status]).toEqual([query, 200]);
    return body as { data: Point[]; has_more: boolean; next_cursor: string | null };
  };
  const sum = (points: readonly Point[], name: 'calls' | 'errors' | 'bytes_in' | 'bytes_out' | 'job_milliseconds') =>
    points.reduce((total, point) => total + point[name], 0);

  it.each(['minute', 'hour', 'day'])('counts by %s and route what the client counted', async (granularity) => {
    const { data } = await series(`granularity=${granularity}&group_by=route&limit=100`);
    for (const [activity, seen] of sent) {
      const points = data.filter((point) => point.activity === activity);
      expect([activity, sum(points, 'calls'), sum(points, 'bytes_in'), sum(points, 'bytes_out')]).toEqual([
        ...[activity, seen.calls, seen.bytesIn, seen.bytesOut],
      ]);
      expect(sum(points, 'errors')).toBe(0);
      for (const { latency_milliseconds: latency } of points) {
        expect(latency.p50).toBeGreaterThan(0);
        expect(latency.p99).toBeLessThanOrEqual(seen.slowestMs * 1.06 + 1);
        expect(latency.sum).toBeLessThanOrEqual((seen.slowestMs + 1) * seen.calls);
      }
    }
    const runs = data.filter((point) => point.activity === 'job bulk.export');
    expect([sum(runs, 'calls'), sum(runs, 'errors')]).toEqual([1, 0]);
  });

  it('counts all together what its routes and jobs come to, beside the database and the files', async () => {
    const routes = (await series('granularity=day&group_by=route&limit=100')).data;
    const [whole] = (await series('granularity=day')).data;
    const ofRoutes = routes.filter(({ activity }) => !activity!.startsWith('job ') && activity !== 'GET /v1/usage');
    const asked = whole!.calls - sum(ofRoutes, 'calls'); // by this test, of /v1/usage
    expect(asked).toBeGreaterThan(0);
    expect(whole).toMatchObject({
      activity: null,
      errors: 0,
      refusals: 0,
      job_milliseconds: sum(routes, 'job_milliseconds'),
    });
    expect(whole!.queries).toBeGreaterThanOrEqual(sum(ofRoutes, 'calls') - 3);
    expect(whole!.database_milliseconds).toBeGreaterThan(0);
    const [stored] = await env.query<{ bytes: string }>(
      'select sum(bytes) as bytes from stored_files where organization_id = $1',
      [tenant.id],
    );
    expect(whole!.bytes_stored).toBe(Number(stored!.bytes));
  });

  it('comes in pages that together are the whole, and as CSV', async () => {
    const query = `granularity=hour&group_by=route&to=${new Date(Date.now() + 3_600_000).toISOString()}`;
    const whole = (await series(`${query}&limit=100`)).data.map(({ activity }) => activity);
    const paged: (string | null)[] = [];
    for (let cursor = ''; ;) {
      const page = await series(`${query}&limit=2${cursor}`);
      paged.push(...page.data.map(({ activity }) => activity));
      if (!page.has_more) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(new Set(paged)).toEqual(new Set([...whole, 'GET /v1/usage']));
    expect(new Set(paged).size).toBe(paged.length);
    const csv = await tenant.call(api, 'GET', `/v1/usage?${query}&format=csv`);
    const lines = (csv.body as string)
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    expect(lines[0]!.slice(0, 3)).toEqual(['period_start', 'activity', 'calls']);
    expect(new Map(lines.map((line) => [line[1], line[2]])).get('POST /v1/products')).toBe('5');
    expect(lines.every((line) => line.length === 18)).toBe(true);
  });

  it('is the same whichever metrics process answers', async () => {
    @Module({})
    class Asker {}
    const asker: INestApplicationContext = await NestFactory.createApplicationContext(
      {
        module: Asker,
        global: true,
        imports: [ConfigModule.forRoot(env.config), MessagingModule.forRoot(env.config)],
        providers: [{ provide: Directory, useValue: {} }],
        exports: [Directory],
      },
      { logger: false },
    );
    const period = { from: new Date(Date.now() - 86_400_000).toISOString(), to: new Date().toISOString() };
    const question = { ...period, granularity: 'hour', by_route: true, after: null, limit: 500 } as const;
    const ask = async () => {
      const { points } = await asker
        .get(PlatformQuestions)
        .ask('usage.series', { organization_id: tenant.id, ...question });
      return points.filter(({ activity }) => activity !== 'GET /v1/usage'); // of which the last may still be on its way
    };
    try {
      const both = await ask();
      await metrics.shift()!.close();
      const second = await ask();
      expect(second).toEqual(both);
      expect(second.length).toBeGreaterThan(4);
    } finally {
      await asker.close();
    }
  });

  it.each([
    ['granularity=minute&from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z', 'invalid_period', 'from'],
    ['granularity=hour&from=2026-01-01T00:00:00Z&to=2026-03-03T00:00:00Z', 'invalid_period', 'from'],
    ['granularity=second', 'invalid_value', 'granularity'],
    ['granularity=day&cursor=nonsense', 'invalid_cursor', 'cursor'],
    ['group_by=route', 'missing_field', 'granularity'],
    ['format=csv', 'missing_field', 'granularity'],
  ])('is refused for %s', async (query, code, param) => {
    const answer = await tenant.call(api, 'GET', `/v1/usage?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code, param } });
  });
});
