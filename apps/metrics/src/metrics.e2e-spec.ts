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
import { createMetrics } from './create-metrics';

const PERIOD = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };

describe('the metrics process', () => {
  let env: TestEnvironment;
  let app: NestFastifyApplication;
  let asker: INestApplicationContext;

  beforeAll(async () => {
    env = await createTestEnvironment();
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
    const { body } = await app.inject({ url: '/metrics' });
    expect(body).toMatch(/^stockyard_partition_headroom_months\{shard="main",parent="tenant_usage"\} 3$/m);
    expect(body).toMatch(/^stockyard_partition_headroom_months\{shard="main",parent="outbox"\} 2$/m);
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

  it('counts organizations, queues and replicas', async () => {
    const { id } = await createOrganization(env);
    await env.query("update organizations set state = 'suspended' where id = $1", [id]);
    const queue = new Queue('bulk', { connection: { url: env.config.REDIS_URL }, prefix: queuePrefix(env.config) });
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
    } finally {
      await app.close();
      await env.dispose();
    }
  });
});
