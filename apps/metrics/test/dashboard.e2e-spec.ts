/** The dashboard's API: its numbers against what was done and what stands in the rows, and who may see which of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type CostModel, loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { createOrganization, createTestEnvironment, freePort, type TestEnvironment, waitFor } from '#libs/testing';
import { ActivityCell } from '#libs/usage';
import { Redis } from 'ioredis';
import { call, createTenant, type RunningApi, startApi, type Tenant } from '../../api/test/support/api-fixture';
import { createMetrics } from '../src/create-metrics';
import { ACTIVITY, PLATFORM, SESSION, TENANT, TENANTS } from '../src/dashboard/dashboard.shape';
import { DashboardReader } from './support/dashboard-reader';

const MODEL: CostModel = { currency: 'EUR', compute: { per_month: 310 }, visible_to_tenants: true };
const OBJECTIVES = { starter: { availability: 0.9, latency: 0.5, latency_ms: 100 } };
const PER_TENANT = 2;
const PER_PROCESS = 4;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What a tenant did in the minute at hand, written as the meter does: into the minute, its hour and its day. */
interface Did {
  readonly calls: number;
  readonly errors?: number;
  readonly refusals?: number;
  readonly latenciesMs?: readonly number[];
  readonly jobMs?: number;
  readonly activity?: string;
  readonly at?: number;
}

describe('the dashboard', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let app: NestFastifyApplication;
  let url: string;
  let page: string;
  let operator: DashboardReader;
  let tenant: Tenant;
  let other: Tenant;
  /** Those of the table, in the order in which they were made. */
  const ids: string[] = [];

  beforeAll(async () => {
    env = await createTestEnvironment(
      {
        COST_MODEL: JSON.stringify(MODEL),
        SLO_OBJECTIVES: JSON.stringify(OBJECTIVES),
        METRICS_COLLECT_MS: '50',
        USAGE_FLUSH_MS: '100',
        DASHBOARD_STREAMS: String(PER_PROCESS),
        DASHBOARD_STREAMS_PER_TENANT: String(PER_TENANT),
      },
      { shards: 2 },
    );
    page = mkdtempSync(join(tmpdir(), 'stockyard-page-'));
    api = await startApi(env);
    const port = await freePort();
    app = await createMetrics(loadConfig({ ...env.variables, METRICS_PORT: String(port) }), { pageDirectory: page });
    await app.listen(port, '127.0.0.1');
    url = `http://127.0.0.1:${port}`;
    operator = reader(`Bearer ${env.config.ADMIN_TOKEN}`);
    [tenant, other] = [await createTenant(api, env, 'starter'), await createTenant(api, env)];
    // Before anybody asks: what it costs is kept for a minute.
    for (const [index, [name, calls, errors, refusals, ms]] of (
      [
        ['Zebra works', 30, 3, 0, 10],
        ['apple works', 10, 1, 9, 500],
        ['Mango works', 20, 2, 1, 100],
        ['quiet works', 0, 0, 0, null],
      ] as const
    ).entries()) {
      const shard = index % 2;
      const { id } = await createOrganization(env, { tier: 'free', shard: env.shards[shard]!.name });
      await env.query('update organizations set name = $2 where id = $1', [id, name]);
      ids.push(id);
      if (ms !== null) await did(id, { calls, errors, refusals, latenciesMs: [ms], jobMs: calls }, shard);
    }
  });

  afterAll(async () => {
    await app.close();
    await api.stop();
    await env.dispose();
    rmSync(page, { recursive: true, force: true });
  });

  const reader = (authorization?: string) => new DashboardReader(url, authorization);
  const own = (of: Tenant) => reader(of.headers.authorization);

  const did = async (id: string, { at = Date.now(), activity = '', ...what }: Did, shard = 0) => {
    const cell = new ActivityCell();
    for (const ms of what.latenciesMs ?? []) cell.ended(ms * 1_000, false);
    const durationUs = cell.amounts.duration_us;
    for (const [table, width] of [
      ...(at > Date.now() - HOUR_MS ? [['tenant_minutes', MINUTE_MS] as const] : []), // there are no partitions of old ones
      ['tenant_hours', HOUR_MS],
      ['tenant_days', DAY_MS],
    ] as const) {
      await env.shards[shard]!.query(
        `insert into ${table} as t (organization_id, period_start, activity, calls, errors, refusals, duration_us, job_ms, latencies)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (organization_id, period_start, activity) do update set calls = t.calls + excluded.calls,
           errors = t.errors + excluded.errors, refusals = t.refusals + excluded.refusals,
           duration_us = t.duration_us + excluded.duration_us, job_ms = t.job_ms + excluded.job_ms,
           latencies = merge_sketches(t.latencies, excluded.latencies)`,
        [
          ...[id, new Date(Math.floor(at / width) * width), activity, what.calls, what.errors ?? 0],
          ...[what.refusals ?? 0, durationUs, what.jobMs ?? 0, cell.latencies.pairs()],
        ],
      );
    }
  };

  /** The answer as soon as it holds; looks are shared, and replicas follow. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever it answers
  const seen = (from: DashboardReader, path: string, holds: (body: any) => boolean) =>
    waitFor(
      async () => {
        const { status, body } = await from.get(path);
        return status === 200 && holds(body) ? body : undefined;
      },
      { what: `${path} to show it` },
    );

  const admin = async (method: string, path: string, body: unknown) => {
    const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
    const answer = await call(api, method, `/v1/admin/organizations${path}`, { headers, body });
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    return answer.body as { key: string };
  };
  const suspend = ({ id }: { readonly id: string }) => admin('PATCH', `/${id}`, { state: 'suspended' });

  describe('of one tenant', () => {
    it('counts what was done through the api: calls, refusals, routes, limits and what is left of them', async () => {
      const limited = await createTenant(api, env, 'free', { requests_per_minute: 8, max_users: 3 });
      const statuses = [];
      for (let call = 0; call < 10; call += 1) statuses.push((await limited.call(api, 'GET', '/v1/products')).status);
      expect(statuses.filter((status) => status === 429)).toHaveLength(2);
      await limited.call(api, 'GET', '/v1/products'); // refused as well
      const body = await seen(operator, `/v1/dashboard/tenants/${limited.id}`, ({ totals }) => totals.refusals === 3);
      expect(TENANT.validate(body).issues).toBeUndefined();
      expect(body).toMatchObject({
        organization: { organization_id: limited.id, slug: limited.slug, tier: 'free', state: 'active', shard: 'main' },
        totals: { calls: 8, errors: 0, refusals: 3 },
        jobs: { waiting: 0, running: 0, dead_letters: 0 },
        bytes_stored: 0,
        missing: [],
      });
      expect(body.series.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0)).toBe(8);
      expect(body.totals.queries).toBeGreaterThanOrEqual(8);
      expect(body.totals.p95_ms).toBeGreaterThan(0);
      expect(body.routes).toEqual([
        expect.objectContaining({ activity: 'GET /v1/products', calls: 8, queries: null, database_ms: null }),
      ]);
      const limit = (name: string) => body.limits.find((each: { name: string }) => each.name === name);
      expect(limit('rate_api')).toEqual({
        ...{ name: 'rate_api', kind: 'rate', unit: 'requests', limit: 8, used: 8, left: 0, window_seconds: 60 },
      });
      expect(limit('api_calls_per_hour')).toMatchObject({ limit: 6_000, used: 8, left: 5_992, window_seconds: 3_600 });
      expect(limit('rate_bulk')).toMatchObject({ limit: 5, used: 0, left: 5, window_seconds: 3_600 });
      expect(limit('max_users')).toMatchObject({ kind: 'amount', unit: 'users', limit: 3, used: 0, left: 3 });
      expect(limit('max_concurrent_requests')).toMatchObject({ kind: 'concurrency', limit: 20 });
      const names = body.limits.map(({ name }: { name: string }) => name);
      expect(new Set(names).size).toBe(names.length);
    });

    it('peeks at limits and takes nothing of them', async () => {
      const { id } = await createTenant(api, env);
      for (let look = 0; look < 5; look += 1) {
        const body = await seen(operator, `/v1/dashboard/tenants/${id}`, () => true);
        const rates = body.limits.filter(({ kind }: { kind: string }) => kind === 'rate');
        expect(rates.map(({ used }: { used: number }) => used)).toEqual(rates.map(() => 0));
      }
    });

    it('counts waiting jobs, users, stored bytes and a token that was taken', async () => {
      const body = { type: 'bulk.export', payload: { resource: 'products', format: 'csv' }, delay_seconds: 3_600 };
      expect((await other.call(api, 'POST', '/v1/jobs', { body, key: newId() })).status).toBe(202);
      await env.query(
        "insert into tenant_usage values ($1, 'bytes_stored', date_trunc('hour', now()) - interval '2 hours', 5000)",
        [other.id],
      );
      const view = await seen(operator, `/v1/dashboard/tenants/${other.id}`, ({ jobs }) => jobs.waiting === 1);
      expect(view).toMatchObject({ jobs: { waiting: 1, running: 0 }, bytes_stored: 5_000 });
      const limit = (name: string) => view.limits.find((each: { name: string }) => each.name === name);
      expect(limit('max_waiting_jobs')).toMatchObject({ used: 1, left: 199_999, unit: 'jobs' });
      expect(limit('max_storage_bytes')).toMatchObject({ used: 5_000, unit: 'bytes' });
      expect(limit('rate_export')).toMatchObject({ limit: 10_000, used: 1, left: 9_999 });
    });

    it('counts what processes hold of its slots at the moment, and what it has in the cache', async () => {
      const { id } = await createOrganization(env, { tier: 'free' });
      const redis = new Redis(env.config.REDIS_URL);
      const key = (area: string, part = '') => `${env.config.REDIS_KEY_PREFIX}:${area}:{${id}}${part}`;
      const [alive, dead] = [Date.now() + HOUR_MS, Date.now() - 1];
      try {
        // Leased, in use or asked for, until when: of two processes, one that waits for more, and one that is gone.
        await redis.hset(key('requests'), { a: `5 3 ${alive} 0 0`, b: `4 9 ${alive} 0 0`, c: `6 6 ${dead} 0 0` });
        await redis.hset(key('share'), { a: `2 1 ${alive} 0 0` });
        await redis.hset(key('cache', ':sizes'), { total: 4_096 });
        const { body } = await operator.get(`/v1/dashboard/tenants/${id}`);
        const limit = (name: string) => body.limits.find((each: { name: string }) => each.name === name);
        expect(limit('max_concurrent_requests')).toMatchObject({ limit: 20, used: 7, left: 13 });
        expect(limit('max_connections')).toMatchObject({ kind: 'concurrency', limit: 4, used: 1, left: 3 });
        expect(limit('max_cache_bytes')).toMatchObject({ unit: 'bytes', used: 4_096 });
      } finally {
        await redis.del(key('requests'), key('share'), key('cache', ':sizes'));
        redis.disconnect();
      }
    });

    it('has budgets of its tier: what failed and what took too long, of 30 days, one hour and six', async () => {
      const { id } = await createOrganization(env, { tier: 'starter', shard: 'two' });
      const slow = [...Array<number>(3).fill(400), ...Array<number>(17).fill(20)];
      await did(id, { calls: 20, errors: 1, latenciesMs: slow }, 1);
      await did(
        id,
        { calls: 180, errors: 9, latenciesMs: Array<number>(180).fill(30), at: Date.now() - 3 * DAY_MS },
        1,
      );
      const body = await seen(operator, `/v1/dashboard/tenants/${id}?range=30d`, ({ totals }) => totals.calls === 200);
      const [availability, latency] = body.budgets;
      expect(body.budgets).toHaveLength(2);
      expect(availability).toMatchObject({ tier: 'starter', objective: 'availability', events: 200, bad: 10 });
      expect(availability.target).toBeCloseTo(0.9);
      expect(availability.remaining_ratio).toBeCloseTo(0.5); // 10 of the 20 that may fail
      expect(availability.burn_1h).toBeCloseTo(0.5); // 1 of 20, where a tenth may
      expect(latency).toMatchObject({ objective: 'latency', events: 200, bad: 3 });
      expect(latency.remaining_ratio).toBeCloseTo(0.97);
      expect(latency.burn_6h).toBeCloseTo(0.3);
    });

    it('tells nothing as nothing: no percentiles, no budgets that burn, no points', async () => {
      const { id } = await createOrganization(env, { tier: 'starter' });
      const { body } = await operator.get(`/v1/dashboard/tenants/${id}?range=7d`);
      expect(body).toMatchObject({ series: [], routes: [], totals: { calls: 0, p50_ms: null, p95_ms: null } });
      expect(body.budgets[0]).toMatchObject({ events: 0, target: 0.9, remaining_ratio: null, burn_1h: null });
    });

    it('shows one activity by itself, and of jobs the time that they ran', async () => {
      const { id } = await createOrganization(env);
      await did(id, { calls: 5, latenciesMs: [10, 20], jobMs: 700 });
      await did(id, { calls: 5, latenciesMs: [10, 20], activity: 'GET /v1/orders' });
      await did(id, { calls: 2, latenciesMs: [300, 500], jobMs: 700, activity: 'job bulk.import' });
      const path = `/v1/dashboard/tenants/${id}`;
      const body = await seen(operator, path, ({ routes }) => routes.length === 2);
      expect(body.routes.map(({ activity }: { activity: string }) => activity)).toEqual([
        'job bulk.import',
        'GET /v1/orders',
      ]);
      expect(body.totals).toMatchObject({ busy_ms: 730, job_ms: 700 });
      const of = async (activity: string) =>
        (await operator.get(`${path}/activity?range=24h&activity=${encodeURIComponent(activity)}`)).body;
      const job = await of('job bulk.import');
      expect(ACTIVITY.validate(job).issues).toBeUndefined();
      expect(job).toMatchObject({ activity: 'job bulk.import', totals: { calls: 2, busy_ms: 700 } });
      expect(job.period.granularity).toBe('hour');
      expect(await of('GET /v1/orders')).toMatchObject({ totals: { calls: 5, busy_ms: 30 }, series: [{ calls: 5 }] });
      expect(await of('GET /v1/nothing')).toMatchObject({ totals: { calls: 0 }, series: [] });
    });
  });

  describe('of the platform', () => {
    it('sums all tenants of all shards, and those that moved once', async () => {
      const before = (await operator.get('/v1/dashboard/platform?range=24h')).body;
      const [here, there] = [
        await createOrganization(env, { tier: 'professional' }),
        await createOrganization(env, { tier: 'professional', shard: 'two' }),
      ];
      await did(here.id, { calls: 10_000, errors: 20, latenciesMs: [100, 100] });
      await did(there.id, { calls: 20_000, latenciesMs: [1_000] }, 1);
      // A copy of it on the shard that it has left.
      await env.query("insert into tenant_places (tenant, epoch, state, tier) values ($1, 0, 'open', 'professional')", [
        there.id,
      ]);
      await did(there.id, { calls: 500_000 }, 0);
      const calls = before.totals.calls + 30_000;
      const body = await seen(operator, '/v1/dashboard/platform?range=24h', ({ totals }) => totals.calls >= calls);
      expect(PLATFORM.validate(body).issues).toBeUndefined();
      expect(body.totals.calls - before.totals.calls).toBeLessThan(500_000);
      expect(body.totals.errors - before.totals.errors).toBe(20);
      const budget = (tier: string, objective: string) =>
        body.budgets.find((each: Record<string, unknown>) => each.tier === tier && each.objective === objective);
      expect(budget('professional', 'availability')).toMatchObject({ events: 30_000, bad: 20, target: 0.9999 });
      expect(budget('professional', 'availability').remaining_ratio).toBeCloseTo(1 - 20 / 3);
      expect(budget('professional', 'latency')).toMatchObject({ events: 3, bad: 1 });
      expect(budget('all', 'availability').events).toBeGreaterThanOrEqual(30_200);
      expect(body.budgets).toHaveLength(10);
      await env.query('delete from tenant_places where tenant = $1', [there.id]);
    });

    it('shows shards, organizations, processes, triggers and releases', async () => {
      await createOrganization(env, { shard: 'two' });
      const [{ residents }] = (await env.query<{ residents: number }>(
        "select count(*)::integer as residents from organizations where shard = 'two'",
      )) as [{ residents: number }];
      const body = await seen(
        operator,
        '/v1/dashboard/platform',
        ({ processes, shards, deploys, organizations }) =>
          processes?.length === 2 &&
          organizations?.active > residents && // each is looked at on a schedule of its own
          shards[1].organizations === residents &&
          deploys.length === 2 &&
          deploys[0].running === 1,
      );
      expect(body.missing).toEqual([]);
      expect(body.shards).toEqual([
        expect.objectContaining({ name: 'main', reachable: true }),
        expect.objectContaining({ name: 'two', reachable: true, organizations: residents }),
      ]);
      for (const shard of body.shards) expect(shard.connections).toBeLessThan(shard.connections_max);
      expect(body.organizations.active).toBeGreaterThan(residents);
      expect(body.queues.map(({ job_class }: { job_class: string }) => job_class)).toContain('bulk');
      const { version } = env.config;
      expect(body.deploys).toEqual(
        expect.arrayContaining(
          ['api', 'metrics'].map((process) => ({
            ...{ version, process, running: 1 },
            first_seen_at: expect.stringMatching(/^\d{4}-/) as string,
          })),
        ),
      );
      expect(body.decisions[0]).toMatchObject({ process: 'api', processes: 1 });
    });

    it('keeps in the table of releases when each was first seen, whoever starts later', async () => {
      const [first] = await env.query<{ first_seen_at: Date }>(
        "select first_seen_at from deploys where process = 'api'",
      );
      const again = await startApi(env);
      await again.stop();
      const rows = await env.query<{ first_seen_at: Date }>("select first_seen_at from deploys where process = 'api'");
      expect(rows).toEqual([first]);
    });
  });

  describe('as a table', () => {
    const table = async (query: string) => (await operator.get(`/v1/dashboard/tenants?${query}`)).body;
    const named = (body: { data: { name: string }[] }) => body.data.map(({ name }) => name);

    it.each([
      ['calls', ['Zebra works', 'Mango works', 'apple works', 'quiet works']],
      ['errors', ['Zebra works', 'Mango works', 'apple works', 'quiet works']],
      ['refusals', ['apple works', 'Mango works']],
      ['p95', ['apple works', 'Mango works', 'Zebra works', 'quiet works']],
      ['busy', ['apple works', 'Mango works', 'Zebra works', 'quiet works']],
      ['cost', ['apple works', 'Mango works', 'Zebra works', 'quiet works']],
      ['name', ['apple works', 'Mango works', 'quiet works', 'Zebra works']],
    ])('is sorted by %s', async (sort, names) => {
      const body = await table(`search=works&sort=${sort}`);
      expect(TENANTS.validate(body).issues).toBeUndefined();
      expect(body).toMatchObject({ matches: 4, has_more: false, next_cursor: null, missing: [] });
      expect(named(body).slice(0, names.length)).toEqual(names);
    });

    it.each(['calls', 'name', 'p95'])('comes in pages by %s, each row once', async (sort) => {
      const whole = named(await table(`search=works&sort=${sort}`));
      const found: string[] = [];
      let cursor = '';
      do {
        const body = await table(`search=works&sort=${sort}&limit=1${cursor && `&cursor=${cursor}`}`);
        found.push(...named(body));
        cursor = body.next_cursor ?? '';
      } while (cursor !== '');
      expect(found).toEqual(whole);
    });

    it('is searched by a part of name or slug and by id, whatever the case', async () => {
      expect(named(await table('search=ZEBRA'))).toEqual(['Zebra works']);
      expect(named(await table(`search=${ids[1]}`))).toEqual(['apple works']);
      expect((await table(`search=${tenant.slug.slice(2)}`)).data[0].organization_id).toBe(tenant.id);
      expect(await table('search=nobody-is-called-this')).toMatchObject({ matches: 0, data: [] });
    });

    it('adds up to the platform, and its costs to no more than the bill', async () => {
      const rows = (await table('limit=100&range=24h')).data;
      const { totals } = (await operator.get('/v1/dashboard/platform?range=24h')).body;
      const sum = (name: string) => rows.reduce((all: number, row: Record<string, number>) => all + row[name]!, 0);
      expect([sum('errors'), sum('refusals'), sum('job_ms')]).toEqual([totals.errors, totals.refusals, totals.job_ms]);
      const cost = rows.reduce(
        (all: number, row: { cost: { total_micros: number } | null }) => all + (row.cost?.total_micros ?? 0),
        0,
      );
      expect(cost).toBeGreaterThan(0);
      expect(cost).toBeLessThanOrEqual(310_000_000);
    });

    it('refuses cursors of another order', async () => {
      const { next_cursor: cursor } = await table('search=works&sort=calls&limit=1');
      for (const query of [`sort=name&cursor=${cursor}`, 'cursor=x']) {
        const answer = await operator.get(`/v1/dashboard/tenants?${query}`);
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_cursor', param: 'cursor' } });
      }
    });
  });

  describe('to whom it answers', () => {
    const paths = () => ({
      session: '/v1/dashboard/session',
      platform: '/v1/dashboard/platform',
      platformEvents: '/v1/dashboard/platform/events',
      table: '/v1/dashboard/tenants',
      own: `/v1/dashboard/tenants/${tenant.id}`,
      ownActivity: `/v1/dashboard/tenants/${tenant.id}/activity?activity=x`,
      foreign: `/v1/dashboard/tenants/${other.id}`,
      foreignActivity: `/v1/dashboard/tenants/${other.id}/activity?activity=x`,
      foreignEvents: `/v1/dashboard/tenants/${other.id}/events`,
      unknown: `/v1/dashboard/tenants/${newId()}`,
    });
    const OWN = ['session', 'own', 'ownActivity'];

    it('operators: everything, and nothing of what there is not', async () => {
      for (const [name, path] of Object.entries(paths())) {
        if (name.endsWith('Events')) continue;
        const { status, headers, body } = await operator.get(path);
        expect([name, status]).toEqual([name, name === 'unknown' ? 404 : 200]);
        expect(headers.get('cache-control')).toBe(name === 'unknown' ? headers.get('cache-control') : 'no-store');
        if (name === 'session') expect(body).toEqual({ reader: 'operator', organization_id: null, name: null });
      }
    });

    it('a tenant: its own, and of everything else the answer of what does not exist', async () => {
      const answers = new Set<string>();
      for (const [name, path] of Object.entries(paths())) {
        const { status, body } = await own(tenant).get(path);
        expect([name, status]).toEqual([name, OWN.includes(name) ? 200 : 404]);
        if (status === 404) answers.add(JSON.stringify({ ...body, request_id: '' }));
        else if (name === 'session') expect(SESSION.validate(body).issues).toBeUndefined();
        if (name === 'session') expect(body).toMatchObject({ reader: 'tenant', organization_id: tenant.id });
        if (name === 'own') expect(body).toMatchObject({ organization: { shard: null }, cost: { currency: 'EUR' } });
      }
      expect(answers.size).toBe(1); // none tells whether there is one
    });

    it('nobody without a credential that counts', async () => {
      for (const [authorization, code] of [
        [undefined, 'authentication_required'],
        ['Bearer guessed', 'invalid_token'],
        ['Basic b3BlcmF0b3I6eA==', 'invalid_token'],
        [`Bearer sk_${'a'.repeat(60)}`, 'invalid_token'],
      ] as const) {
        for (const path of Object.values(paths())) {
          const answer = await reader(authorization).get(path);
          expect([path, answer.status, answer.body.code]).toEqual([path, 401, code]);
          expect(answer.headers.get('content-type')).toContain('application/problem+json');
        }
      }
    });

    it('no key without the permission, nor one that was revoked', async () => {
      const made = await admin('POST', `/${tenant.id}/api_keys`, {
        name: 'stock',
        role: 'owner',
        scopes: ['stock:read'],
      });
      const narrow = reader(`Bearer ${made.key}`);
      for (const path of Object.values(paths())) {
        expect((await narrow.get(path)).body).toMatchObject({
          ...{ code: 'permission_denied', permission: 'usage:read' },
        });
      }
      const key = await tenant.call(api, 'POST', '/v1/api_keys', { body: { name: 'gone', role: 'viewer' } });
      const gone = reader(`Bearer ${key.body.key}`);
      expect((await gone.get('/v1/dashboard/session')).status).toBe(200);
      await tenant.call(api, 'DELETE', `/v1/api_keys/${key.body.id}`);
      await waitFor(async () => (await gone.get('/v1/dashboard/session')).body.code === 'api_key_revoked', {
        what: 'the key to count no more',
      });
    });

    it('a suspended organization: what was, and no stream', async () => {
      const suspended = await createTenant(api, env);
      await suspend(suspended);
      const path = `/v1/dashboard/tenants/${suspended.id}`;
      await seen(own(suspended), path, ({ organization }) => organization.state === 'suspended');
      const stream = await own(suspended).follow(`${path}/events`);
      expect(stream).toMatchObject({ status: 403, body: { code: 'organization_not_active' } });
    });

    it.each(['range=1y', 'unknown=1', 'sort=size', 'limit=1000'])('refuses ?%s', async (query) => {
      const answer = await operator.get(`/v1/dashboard/tenants?${query}`);
      expect([answer.status, answer.body.param]).toEqual([400, query.split('=')[0]]);
    });
  });

  describe('as events', () => {
    const events = (of: { id: string }) => `/v1/dashboard/tenants/${of.id}/events`;

    it('sends the view at once and whenever it has changed', async () => {
      const { id } = await createOrganization(env);
      const stream = await operator.follow(events({ id }));
      expect(stream.status).toBe(200);
      expect(stream.headers.get('cache-control')).toContain('no-store');
      await waitFor(() => stream.events.length === 1, { what: 'the first view' });
      expect(TENANT.validate(stream.events[0]!.data).issues).toBeUndefined();
      await did(id, { calls: 3 });
      await waitFor(() => stream.events.at(-1)!.data.totals.calls === 3, { what: 'the change' });
      expect(stream.events.every(({ event }) => event === 'view')).toBe(true);
      expect(stream.events.length).toBeLessThanOrEqual(4); // a minute may begin meanwhile
      stream.close();
      await stream.ended;
    });

    it('ends with the reason when its credential no longer counts', async () => {
      const key = await tenant.call(api, 'POST', '/v1/api_keys', { body: { name: 'watch', role: 'viewer' } });
      const stream = await reader(`Bearer ${key.body.key}`).follow(events(tenant));
      await waitFor(() => stream.events.length > 0, { what: 'the first view' });
      await tenant.call(api, 'DELETE', `/v1/api_keys/${key.body.id}`);
      await stream.ended;
      expect(stream.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'api_key_revoked' } });
    });

    it('ends when the organization is suspended', async () => {
      const suspended = await createTenant(api, env);
      const stream = await own(suspended).follow(events(suspended));
      await suspend(suspended);
      await stream.ended;
      expect(stream.events.at(-1)).toMatchObject({ event: 'end', data: { reason: 'organization_not_active' } });
    });

    it('are as many as may be, of a tenant and of the process, and give their places back', async () => {
      const open = [await own(tenant).follow(events(tenant)), await own(tenant).follow(events(tenant))];
      expect(await own(tenant).follow(events(tenant))).toMatchObject({
        ...{ status: 429, body: { code: 'too_many_streams', maximum: PER_TENANT } },
      });
      open.push(await operator.follow('/v1/dashboard/platform/events'), await operator.follow(events(tenant)));
      expect(await operator.follow(events(tenant))).toMatchObject({
        ...{ status: 503, body: { code: 'streams_unavailable' } },
      });
      expect((await app.inject({ url: '/metrics' })).body).toMatch(/^stockyard_dashboard_streams_open 4$/m);
      for (const stream of open) stream.close();
      await waitFor(
        async () => /^stockyard_dashboard_streams_open 0$/m.test((await app.inject({ url: '/metrics' })).body),
        { what: 'the places' },
      );
    });
  });

  describe('its page', () => {
    it('says so where it was not built', async () => {
      expect(await reader().get('/')).toMatchObject({ status: 404, body: { code: 'page_not_built' } });
    });

    it('is served to anybody under a strict policy, its assets for ever', async () => {
      mkdirSync(join(page, 'assets'));
      writeFileSync(join(page, 'index.html'), '<!doctype html><title>Stockyard</title>');
      writeFileSync(join(page, 'assets/index-1a2b.js'), 'export {};');
      const index = await reader().get('/');
      const asset = await reader().get('/assets/index-1a2b.js');
      expect([index.status, index.body]).toEqual([200, '<!doctype html><title>Stockyard</title>']);
      expect(index.headers.get('cache-control')).toBe('no-cache');
      expect([asset.status, asset.body]).toEqual([200, 'export {};']);
      expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      for (const { headers } of [index, asset]) {
        expect(headers.get('content-security-policy')).toBe(
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
            "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        );
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('referrer-policy')).toBe('no-referrer');
      }
    });

    it.each(['/assets/nothing.js', '/assets/', '/assets/..%2findex.html', '/index.html', '/nothing'])(
      'has nothing at %s',
      async (path) => {
        const { status, headers, body } = await reader().get(path);
        expect([path, status, body.code]).toEqual([path, 404, 'not_found']);
        expect(headers.get('cache-control')).toBeNull();
      },
    );

    it('stands in the way of nothing else', async () => {
      for (const path of ['/live', '/metrics', '/ready'])
        expect([path, (await reader().get(path)).status]).toEqual([path, 200]);
      for (const path of ['/board', '/v1/cluster'])
        expect([path, (await reader().get(path)).status]).toEqual([path, 401]);
    });
  });
});
