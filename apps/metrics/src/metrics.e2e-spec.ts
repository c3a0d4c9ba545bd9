import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigModule } from '#libs/config';
import { newId } from '#libs/kernel';
import { type ClusterSnapshot, MessagingModule, PlatformQuestions } from '#libs/messaging';
import { queuePrefix } from '#libs/queues';
import { Directory } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { AutoscalingReport } from './autoscaling/autoscaling.service';
import { createMetrics } from './create-metrics';
import type { PlatformView, TenantsView, TenantView } from './dashboard/dashboard.shape';

const PERIOD = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };

describe('the metrics process', () => {
  let env: TestEnvironment;
  let app: NestFastifyApplication;
  let asker: INestApplicationContext;

  beforeAll(async () => {
    env = await createTestEnvironment({ METRICS_COLLECT_MS: '100', METRICS_TOP_TENANTS: '3' });
    app = await createMetrics(env.config);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    @Module({})
    class Asker {}
    const module = {
      module: Asker,
      global: true,
      imports: [ConfigModule.forRoot(env.config), MessagingModule.forRoot(env.config)],
      providers: [{ provide: Directory, useValue: {} }],
      exports: [Directory],
    };
    asker = await NestFactory.createApplicationContext(module, { logger: false });
  });

  afterAll(async () => {
    await asker.close();
    await app.close();
    await env.dispose();
  });

  const cluster = (authorization?: string) =>
    app.inject({ url: '/v1/cluster', headers: authorization === undefined ? {} : { authorization } });
  const asOperator = async () => (await cluster(`Bearer ${env.config.ADMIN_TOKEN}`)).json<ClusterSnapshot>();

  const scrape = async () => (await app.inject({ url: '/metrics' })).body;
  /** Collectors have come by, and a replica may have answered, which has the rows a moment later. */
  const scraped = (line: RegExp) =>
    waitFor(
      async () => {
        const text = await scrape();
        return line.test(text) ? text : undefined;
      },
      { what: line.source },
    );

  it.each(['/live', '/ready', '/health', '/metrics'])('answers %s without a credential', async (url) => {
    await waitFor(async () => (await app.inject({ url })).statusCode === 200, { what: url });
  });

  it('sums usage of one organization over the hours of a period, and of no other', async () => {
    const [one, other] = await Promise.all([createOrganization(env), createOrganization(env)]);
    const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
    for (const [id, value] of [
      [one.id, 5],
      [other.id, 70],
    ] as const) {
      await env.query(
        `insert into tenant_usage (organization_id, metric, period_start, value)
         values ($1, 'api_calls', $2, $3), ($1, 'job_milliseconds', $2, 9)`,
        [id, hour, value],
      );
    }
    const questions = asker.get(PlatformQuestions);
    const period = { from: hour.toISOString(), to: new Date(hour.getTime() + 1).toISOString() };
    await expect(questions.ask('usage.summary', { organization_id: one.id, ...period })).resolves.toEqual({
      organization_id: one.id,
      ...period,
      metrics: [
        { metric: 'api_calls', value: 5 },
        { metric: 'job_milliseconds', value: 9 },
      ],
    });
  });

  it('knows nothing of an organization that is not there', async () => {
    const asked = asker.get(PlatformQuestions).ask('usage.summary', { organization_id: newId(), ...PERIOD });
    await expect(asked).rejects.toMatchObject({ code: 'not_found', category: 'not_found' });
  });

  it('refuses a period that makes no sense', async () => {
    const { id } = await createOrganization(env);
    const asked = asker
      .get(PlatformQuestions)
      .ask('usage.summary', { organization_id: id, from: PERIOD.to, to: PERIOD.from });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_period', category: 'invalid', param: 'to' });
  });

  it('shows the cluster to operators alone', async () => {
    expect((await cluster()).json()).toMatchObject({ code: 'authentication_required' });
    expect((await cluster('Bearer guessed')).statusCode).toBe(401);
    const { statusCode } = await cluster(`Bearer ${env.config.ADMIN_TOKEN}`);
    expect(statusCode).toBe(200);
  });

  it('tells how many months of partitions are left', async () => {
    const month = new Date();
    month.setUTCMonth(month.getUTCMonth() + 3, 1);
    const name = `outbox_${month.toISOString().slice(0, 7).replace('-', '')}`;
    await env.query(`drop table ${name}`);
    const body = await scraped(/^stockyard_partition_headroom_months\{shard="main",parent="outbox"\} 2$/m);
    expect(body).toMatch(/^stockyard_partition_headroom_months\{shard="main",parent="tenant_usage"\} 3$/m);
    expect(body).toMatch(/^stockyard_partition_headroom_days\{shard="main",parent="tenant_minutes"\} 7$/m);
    expect(body).not.toMatch(/headroom_months\{[^}]*tenant_minutes/);
  });

  it('tells how many dead letters there are and how old the oldest is, and nothing of their tenants', async () => {
    const [one, other] = await Promise.all([createOrganization(env), createOrganization(env)]);
    for (const [organization, jobClass, minutes] of [
      [one.id, 'bulk', 5],
      [other.id, 'bulk', 10],
      [other.id, 'low', 1],
    ] as const) {
      await env.query(
        `with job as (insert into jobs (organization_id, id, type, class, payload, actor_type)
           values ($1, $2, 't', $3, '{}', 'system') returning organization_id, id, type, class)
         insert into dead_letters (organization_id, id, job_id, type, class, payload, error, attempts, failed_at)
         select organization_id, id, id, type, class, '{}', '{}', 1, now() - make_interval(mins => $4) from job`,
        [organization, newId(), jobClass, minutes],
      );
    }
    const read = async () => (await app.inject({ url: '/metrics' })).body;
    // A replica may answer, which has the rows a moment later.
    const body = await waitFor(
      async () => {
        const text = await read();
        return /^stockyard_dead_letters\{shard="main",job_class="low"\} 1$/m.test(text) ? text : undefined;
      },
      { what: 'the letters to be counted' },
    );
    expect(body).toMatch(/^stockyard_dead_letters\{shard="main",job_class="bulk"\} 2$/m);
    expect(body).toMatch(/^stockyard_dead_letters\{shard="main",job_class="critical"\} 0$/m);
    const [, age] = /^stockyard_dead_letter_oldest_age_seconds\{shard="main",job_class="bulk"\} ([0-9.]+)$/m.exec(
      body,
    )!;
    expect(Number(age)).toBeGreaterThanOrEqual(600);
    expect(Number(age)).toBeLessThan(700);
    expect(body).not.toContain(one.id);
  });

  it('counts breakers that are not closed, without a word of whose they are', async () => {
    const { id } = await createOrganization(env);
    await env.query(
      `insert into connections (organization_id, id, name, url, breaker_state, breaker_retry_at)
       select $1, gen_random_uuid(), n::text, 'u', case n when 1 then 'closed' else 'open' end, case when n > 1 then now() end
       from generate_series(1, 3) n`,
      [id],
    );
    const body = await waitFor(
      async () => {
        const text = (await app.inject({ url: '/metrics' })).body;
        return /^stockyard_connection_breakers\{shard="main",state="open"\} 2$/m.test(text) ? text : undefined;
      },
      { what: 'the breakers to be counted' },
    );
    expect(body).toMatch(/^stockyard_connection_breakers\{shard="main",state="half_open"\} 0$/m);
    expect(body).not.toContain(id);
  });

  it('tells how much of the outbox waits and for how long, without what a tenant left behind that moved away', async () => {
    const [here, gone] = await Promise.all([createOrganization(env), createOrganization(env)]);
    await env.query("update tenant_places set state = 'moved' where tenant = $1", [gone.id]);
    await env.query(
      `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload, created_at, published_at)
       select o, $2::uuid, 't', 'a', o, '{}', now() - make_interval(mins => m), case when p then now() end
       from (values ($1::uuid, 7, false), ($3::uuid, 60, false)) r (o, m, p)`,
      [here.id, newId(), gone.id],
    );
    const body = await scraped(/^stockyard_outbox_waiting_rows\{shard="main"\} 1$/m);
    const [, age] = /^stockyard_outbox_oldest_age_seconds\{shard="main"\} ([0-9.]+)$/m.exec(body)!;
    expect(Number(age)).toBeGreaterThanOrEqual(420);
    expect(Number(age)).toBeLessThan(600);
    await env.query('update outbox set published_at = now()');
    expect(await scraped(/^stockyard_outbox_waiting_rows\{shard="main"\} 0$/m)).toMatch(
      /^stockyard_outbox_oldest_age_seconds\{shard="main"\} 0$/m,
    );
  });

  it('shows of Postgres connections by role against their maximum, streams, slots and the largest tables', async () => {
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => env.connectAs('relay')));
    try {
      const body = await scraped(
        /^stockyard_postgres_connections\{shard="main",node="127[^"]*",role="relay"\} ([5-9]|\d\d+)$/m,
      );
      expect(body).toMatch(/^stockyard_postgres_connections\{[^}]*role="monitor"\} [1-9]/m);
      expect(body).toMatch(/^stockyard_postgres_connections_max\{shard="main",node="127[^"]*"\} [1-9]\d+$/m);
      expect(body).toMatch(/^stockyard_postgres_replication_streams\{shard="main",node="127[^"]*"\} [1-9]\d*$/m);
      expect(body).toMatch(/^stockyard_postgres_transaction_id_age\{shard="main",node="127[^"]*"\} \d+$/m);
      expect(body).toMatch(/^stockyard_postgres_slots_idle\{shard="main",node="127[^"]*"\} \d+$/m);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
    await env.query('analyze tier_limits');
    const tables = await scraped(/^stockyard_postgres_table_bytes\{shard="main",table="tier_limits"\} [1-9]/m);
    const shown = tables.match(/^stockyard_postgres_table_bytes\{/gm);
    expect(shown!.length).toBeLessThanOrEqual(20);
    expect(tables).not.toMatch(/table="[a-z_]+_20\d{4}"/); // months count as their table
    expect(tables).toMatch(/^stockyard_postgres_table_dead_ratio\{shard="main",table="tier_limits"\} 0/m);
  });

  it('shows of each Redis memory, clients, evictions and hits, and one that serves all purposes once', async () => {
    const body = await scraped(/^stockyard_redis_memory_bytes\{purpose="queue,cache,limits",node="127[^"]*"\} [1-9]/m);
    expect(body.match(/^stockyard_redis_clients\{/gm)).toHaveLength(1);
    expect(body).toMatch(/^stockyard_redis_keyspace_hits_total\{purpose="queue,cache,limits",node="127[^"]*"\} \d+$/m);
    expect(body).toMatch(/^stockyard_redis_evicted_keys_total\{[^}]*\} 0$/m);
  });

  it('shows the busiest tenants of the hour, the rest as other, and a sum that stays right', async () => {
    const made = await Promise.all([9, 8, 7, 6, 5].map(() => createOrganization(env)));
    const moved = await createOrganization(env);
    await env.query("update tenant_places set state = 'moved' where tenant = $1", [moved.id]);
    const use = (metric: string, of: readonly [string, number][], hour = 'now()') =>
      env.query(
        `insert into tenant_usage (organization_id, metric, period_start, value)
         select o, $1, date_trunc('hour', ${hour}), v from unnest($2::uuid[], $3::bigint[]) as u (o, v)`,
        [metric, of.map(([id]) => id), of.map(([, value]) => value)],
      );
    await env.query("delete from tenant_usage where metric in ('api_calls', 'job_milliseconds')");
    const ids = made.map(({ id }) => id);
    await use('api_calls', [...ids.map((id, n): [string, number] => [id, 100 - n]), [moved.id, 5_000]]);
    await use('api_calls', [[ids[4]!, 10_000]], "now() - interval '1 hour'");
    await use('job_milliseconds', [[ids[4]!, 2_500]]);
    await use('rate_limit_exceeded_api', [[ids[3]!, 4]]);
    await use('requests_shed', [[ids[3]!, 3]]);
    await scraped(
      new RegExp(`refusals\\{tenant="${ids[3]}"\\} 7\nstockyard_tenant_hour_refusals\\{tenant="other"\\} 0$`, 'm'),
    );
    await scraped(/^stockyard_tenant_hour_api_calls\{tenant="other"\} 193$/m);
    const body = await scraped(new RegExp(`^stockyard_tenant_hour_job_seconds\\{tenant="${ids[4]}"\\} 2\\.5$`, 'm'));
    for (const [n, id] of ids.slice(0, 3).entries()) {
      expect(body).toContain(`stockyard_tenant_hour_api_calls{tenant="${id}"} ${100 - n}\n`);
    }
    expect(body.match(/^stockyard_tenant_hour_api_calls\{/gm)).toHaveLength(4);
    expect(body).not.toContain(moved.id);
  });

  it('shows operators what the triggers of autoscaling see and would do, and the same as metrics', async () => {
    const get = (authorization?: string) =>
      app.inject({ url: '/v1/autoscaling', headers: authorization === undefined ? {} : { authorization } });
    expect((await get()).statusCode).toBe(401);
    const redis = new Redis(env.config.REDIS_URL);
    const [heard, said] = ['heard', 'said'].map((part) => `${env.config.REDIS_KEY_PREFIX}:signals:${part}`);
    const api = { process: 'api', requests_per_second: 1_500, p95_ms: 120, cpu_ratio: 0.6, memory_ratio: 0.3 };
    try {
      for (const id of [newId(), newId()]) {
        await redis.multi().zadd(heard!, Date.now(), id).hset(said!, id, JSON.stringify(api)).exec();
      }
      const report = await waitFor(
        async () => {
          const found = (await get(`Bearer ${env.config.ADMIN_TOKEN}`)).json<AutoscalingReport>();
          return found.decisions[0]?.processes === 2 ? found : undefined;
        },
        { what: 'both processes' },
      );
      expect(report.decisions[0]).toEqual({ process: 'api', processes: 2, wanted: 3, action: 'add' });
      expect(report.triggers).toContainEqual({
        ...{ trigger: 'requests', process: 'api', unit: 'requests_per_second' },
        ...{ threshold: 1_000, value: 1_500, fires: true, wanted: 3 },
      });
      expect(report.triggers.filter(({ fires }) => fires)).toHaveLength(1);
      expect(report.queues?.map(({ job_class }) => job_class)).toEqual(['critical', 'high', 'normal', 'low', 'bulk']);
      const body = await scraped(/^stockyard_autoscaling_processes\{process="api",state="wanted"\} 3$/m);
      expect(body).toMatch(/^stockyard_autoscaling_value\{process="api",trigger="p95"\} 0\.12$/m);
    } finally {
      await redis.del(heard!, said!);
      redis.disconnect();
    }
  });

  it('counts organizations, queues and replicas', async () => {
    const { id } = await createOrganization(env);
    await env.query("update organizations set state = 'suspended' where id = $1", [id]);
    const queue = new Queue('bulk', {
      connection: { url: env.config.REDIS_URL },
      prefix: queuePrefix(env.config, 'bulk'),
    });
    try {
      await queue.add('a', {}, { priority: 5 });
      await queue.add('b', {});
      await queue.add('c', {}, { delay: 60_000 });
      const snapshot = await waitFor(
        async () => {
          const seen = await asOperator();
          const reached = seen.replicas.every(({ lag_bytes }) => lag_bytes === 0);
          return seen.organizations?.suspended === 1 && seen.queues?.at(-1)?.waiting === 2 && reached
            ? seen
            : undefined;
        },
        { what: 'the counts', timeoutMs: 20_000, intervalMs: 300 },
      );
      expect(snapshot.queues?.map(({ job_class }) => job_class)).toEqual(['critical', 'high', 'normal', 'low', 'bulk']);
      expect(snapshot.queues?.at(-1)).toEqual({
        ...{ job_class: 'bulk', waiting: 2, active: 0, delayed: 1, failed: 0 },
        ...{ workers: 0, slots: 0, service_ms: null, backlog_seconds: 2 },
        oldest_seconds: expect.any(Number) as number,
      });
      expect(snapshot.queues?.at(-1)?.oldest_seconds).toBeGreaterThan(0);
      expect(snapshot.replicas).toEqual([
        { name: expect.stringMatching(/^main\/127/), reachable: true, lag_bytes: 0, lag_ms: 0 },
      ]);
      await expect(asker.get(PlatformQuestions).ask('cluster.snapshot', {})).resolves.toMatchObject({
        organizations: snapshot.organizations,
        queues: snapshot.queues,
      });
      const { body } = await app.inject({ url: '/metrics' });
      expect(body).toMatch(/^stockyard_queue_jobs\{job_class="bulk",state="waiting"\} 2$/m);
      expect(body).toMatch(/^stockyard_queue_backlog_seconds\{job_class="bulk"\} 2$/m);
      expect(body).toMatch(/^stockyard_queue_oldest_seconds\{job_class="bulk"\} \d/m);
      expect(body).toMatch(/^stockyard_organizations\{state="suspended"\} 1$/m);
      expect(body).toMatch(/^stockyard_replica_up\{replica="main\/127[^"]*"\} 1$/m);
    } finally {
      await queue.obliterate({ force: true });
      await queue.close();
    }
  });
});

describe('the metrics process without its surroundings', () => {
  it('says of what does not answer that it does not know', async () => {
    const env = await createTestEnvironment({ DATABASE_REPLICA_URLS: 'postgres://127.0.0.1:1/none' });
    const app = await createMetrics({ ...env.config, REDIS_URL: 'redis://127.0.0.1:1' });
    try {
      await app.init();
      const answer = await app.inject({
        url: '/v1/cluster',
        headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
      });
      expect(answer.json()).toMatchObject({
        queues: null,
        replicas: [{ name: 'main/127.0.0.1:1', reachable: false, lag_bytes: null, lag_ms: null }],
      });
      const { body } = await app.inject({ url: '/metrics' });
      expect(body).toMatch(/^stockyard_collector_up\{collector="postgres",source="main\/127.0.0.1:1"\} 0$/m);
      expect(body).toMatch(/^stockyard_collector_up\{collector="postgres",source="main\/127[^"]*:\d{2,}"\} 1$/m);
      expect(body).toMatch(/^stockyard_collector_up\{collector="redis",source="queue[^"]*:1"\} 0$/m);
      expect(body).not.toMatch(/^stockyard_postgres_[^ ]*node="127.0.0.1:1"/m);
      expect(body).not.toMatch(/^stockyard_redis_memory_bytes\{purpose="queue/m);
      expect(body).toMatch(/^stockyard_collector_up\{collector="cluster",source="queues"\} 0$/m);
      expect(body).toMatch(/^stockyard_collector_up\{collector="cluster",source="organizations"\} 1$/m);
    } finally {
      await app.close();
      await env.dispose();
    }
  });

  it('starts without a word in the table of releases, and says on the dashboard what is missing', async () => {
    const away = { away: { url: 'postgres://127.0.0.1:1/none', replica_urls: [] } };
    const env = await createTestEnvironment({ DATABASE_SHARDS: JSON.stringify(away), METRICS_COLLECT_MS: '50' });
    const { id } = await createOrganization(env);
    await env.query("insert into tenant_days (organization_id, period_start, activity, calls) values ($1, $2, '', 7)", [
      id,
      new Date().toISOString().slice(0, 10),
    ]);
    await env.query(
      "insert into organizations (id, slug, name, tier, shard) values ($1, 'far-away', 'Far', 'free', 'away')",
      [newId()],
    );
    await env.query('revoke insert on deploys from stockyard_control');
    const app = await createMetrics({
      ...env.config,
      REDIS_URL: 'redis://127.0.0.1:1',
      redisLimitsUrl: 'redis://127.0.0.1:1',
    });
    try {
      await app.init();
      const get = async <Body>(path: string) => {
        const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
        const answer = await app.inject({ url: `/v1/dashboard/${path}`, headers });
        return { status: answer.statusCode, body: answer.json<Body>() };
      };
      const { body: platform } = await get<PlatformView>('platform?range=30d');
      expect(platform).toMatchObject({ queues: null, processes: null, deploys: [], totals: { calls: 7 } });
      expect(platform.shards[1]).toMatchObject({ name: 'away', reachable: false, organizations: 1, bytes: null });
      expect(platform.missing).toEqual([
        expect.stringMatching(/^Shard away did not answer/),
        'No server of shard away answers.',
        'The Redis of the queues does not answer.',
        expect.stringMatching(/^No process can be heard/),
      ]);
      const { body: table } = await get<TenantsView>('tenants?range=30d');
      expect([table.matches, table.data[0]?.calls, table.missing.length]).toEqual([2, 7, 1]);
      const far = table.data[1]!.organization_id;
      const { body: tenant } = await get<TenantView>(`tenants/${far}`);
      expect(tenant).toMatchObject({ organization: { slug: 'far-away' }, jobs: null, bytes_stored: null, series: [] });
      expect(tenant.limits.find(({ name }) => name === 'rate_api')).toMatchObject({
        limit: 100,
        used: null,
        left: null,
      });
      expect(tenant.missing).toHaveLength(2);
      expect((await get(`tenants/${far}/activity?activity=x`)).status).toBe(503);
    } finally {
      await app.close();
      await env.dispose();
    }
  });
});
