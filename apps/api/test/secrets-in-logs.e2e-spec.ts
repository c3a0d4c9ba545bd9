/**
 * Nothing that the processes say holds a secret, at LOG_LEVEL=debug and while things fail. Secrets are put wherever there
 * may be some, errors are provoked around them, and everything on stdout and stderr is searched.
 */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { newId } from '#libs/kernel';
import { createTestEnvironment, freePort, type TestEnvironment, waitFor } from '#libs/testing';
import { type CallOptions, createTenant, type Tenant } from './support/api-fixture';
import { ObservedProcess } from './support/observed-process';

/** Of the configuration. With signs that JSON, URLs and regular expressions write otherwise. */
const CONFIGURED = {
  ADMIN_TOKEN: 'admin+token/of-the-spec-1',
  JWT_SECRET: 'jwt-secret-of-the-spec-with-32-bytes-2',
  MESSAGING_SECRET: 'messaging (secret) of "the" spec\\3',
  MESSAGING_SECRET_BEFORE: 'messaging-secret-before-4',
};
const COLLECTOR_SECRET = 'collector-secret-5';
const BUCKET_SECRET = 'bucket-secret-of-the-spec-6';
const WRONG_PASSWORD = 'wrong-database-password-7';
const REDIS_PASSWORD = 'redis p@ss/word-8';

/** Of callers. */
const PASSWORD = 'correct horse battery staple 11';
const GUESS = 'a-wrong-guess-of-a-password-12';
const COOKIE = 'session-cookie-13';
const BEARER_TOKEN = 'bearer-token-of-a-connection-14';
const HEADER_VALUE = 'header-of-a-connection-15';
const FORGED_KEY = `sk_${'forged'.repeat(12)}`;
const FORGED_JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJvcmciOiJmb3JnZWQtMTYifQ.Zm9yZ2VkLXNpZ25hdHVyZQ';
const SIGNATURE = 'signature-of-a-link-17';

/** Asks for a password, and takes none. */
async function refusingRedis(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('-WRONGPASS invalid username-password pair or user is disabled.\r\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('The log', () => {
  let env: TestEnvironment;
  let api: ObservedProcess;
  let worker: ObservedProcess;
  let tenant: Tenant;
  let variables: Record<string, string>;
  /** By what they are. */
  const secrets = new Map<string, string>(Object.entries(CONFIGURED));

  const key = () => tenant.headers.authorization!.slice('Bearer '.length);
  const post = (path: string, options: CallOptions) => tenant.call(api, 'POST', path, options);
  const user = () => ({ email: `u-${newId()}@example.com`, name: 'U', role: 'viewer', password: PASSWORD });
  const ended = (id: string) =>
    waitFor(
      async () => {
        const { body } = await tenant.call(api, 'GET', `/v1/jobs/${id}`);
        return body.finished_at ? body : undefined;
      },
      { what: 'the job to end', timeoutMs: 30_000 },
    );
  const holdNothing = (process: ObservedProcess) => {
    const { output } = process;
    const found = [...secrets].filter(([, secret]) =>
      [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)].some((form) => output.includes(form)),
    );
    const lines = found.map(([name, secret]) => `${name}: ${output.split('\n').find((line) => line.includes(secret))}`);
    expect(lines).toEqual([]);
  };
  /** Starts what cannot work, until it has ended or said so. */
  const failing = async (name: 'api' | 'worker', change: Record<string, string>, says: RegExp) => {
    const process = await ObservedProcess.spawn(name, { ...variables, ...change });
    await waitFor(() => Promise.resolve(says.test(process.output)), {
      ...{ what: `the ${name} to say ${String(says)}`, timeoutMs: 20_000 },
    })
      .catch((error: unknown) => {
        throw new Error(`${(error as Error).message}:\n${process.output.slice(-3_000)}`);
      })
      .finally(() => process.kill());
    holdNothing(process);
    return process;
  };

  beforeAll(async () => {
    for (const secret of [COLLECTOR_SECRET, BUCKET_SECRET, WRONG_PASSWORD, REDIS_PASSWORD]) secrets.set(secret, secret);
    for (const secret of [PASSWORD, GUESS, COOKIE, BEARER_TOKEN, HEADER_VALUE, FORGED_KEY, FORGED_JWT, SIGNATURE]) {
      secrets.set(secret, secret);
    }
    env = await createTestEnvironment({
      ...CONFIGURED,
      ...{ OUTBOX_POLL_MS: '50', SYNC_TRY_MS: '300', LOG_LEVEL: 'debug' },
      OUTBOUND_HTTP: 'on',
      ...{ OTEL_BSP_SCHEDULE_DELAY: '100', OTEL_EXPORTER_OTLP_TIMEOUT: '500' },
      OUTBOUND_PRIVATE_ADDRESSES: '127.0.0.1',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://collector:${COLLECTOR_SECRET}@127.0.0.1:${await freePort()}`,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${COLLECTOR_SECRET}`,
    });
    variables = { ...env.variables };
    [api, worker] = await Promise.all([
      ObservedProcess.start('api', variables),
      ObservedProcess.start('worker', variables),
    ]);
    tenant = await createTenant(api, env);
    secrets.set('the API key', key());
  });
  afterAll(async () => {
    await Promise.all([api.stop(), worker.stop()]);
    await env.dispose();
  });

  it('holds no credential of a caller, wherever it was put', async () => {
    const made = await post('/v1/users', { body: user() });
    expect(made.status).toBe(201);
    const credentials = { organization: tenant.slug, email: made.body.email as string };
    const login = await post('/v1/auth/login', { body: { ...credentials, password: PASSWORD } });
    expect(login.status).toBe(200);
    secrets.set('the access token', login.body.access_token as string);
    secrets.set('the refresh token', login.body.refresh_token as string);
    const refresh = await post('/v1/auth/refresh', { body: { refresh_token: login.body.refresh_token as string } });
    secrets.set('the next refresh token', refresh.body.refresh_token as string);
    await post('/v1/auth/login', { body: { ...credentials, password: GUESS } });
    await post('/v1/auth/login', { raw: `{"password":"${GUESS}", broken` });
    await post('/v1/auth/login', { raw: `password=${GUESS}`, headers: { 'content-type': 'text/plain' } });
    await post('/v1/users', { body: { ...user(), role: 'king', more: GUESS } });
    for (const authorization of [`Bearer ${FORGED_KEY}`, `Bearer ${FORGED_JWT}`, `Basic ${FORGED_KEY}`, FORGED_KEY]) {
      const headers = { authorization, cookie: `session=${COOKIE}`, 'x-consistency-token': `1.main.1.${SIGNATURE}` };
      expect((await post('/v1/products', { headers, body: {} })).status).toBe(401);
    }
    await post('/v1/products', { headers: { 'x-request-id': FORGED_KEY }, body: {} });
    for (const path of [
      `/v1/nowhere/${FORGED_KEY}`,
      `/v1/products/${key()}`,
      `/v1/products?api_key=${FORGED_KEY}&token=${SIGNATURE}`,
      `/v1/nowhere?X-Amz-Signature=${SIGNATURE}`,
      `/v1/nowhere/Bearer%20${FORGED_JWT}`,
    ]) {
      await tenant.call(api, 'GET', path);
    }
  });

  it('holds no link to a file', async () => {
    const { body } = await post('/v1/jobs', {
      body: { type: 'bulk.export', payload: { resource: 'products', format: 'csv' } },
    });
    await ended(body.id as string);
    const link = await post(`/v1/jobs/${body.id}/file_link`, {});
    const { pathname } = new URL(link.body.url as string, api.url);
    secrets.set('the seal of the link', pathname.split('/').at(-1)!);
    expect((await fetch(api.url + pathname)).status).toBe(200);
    await fetch(`${api.url}${pathname}x`);
    await fetch(api.url + pathname.replace('/v1/files', '/%76%31/files'));
  });

  it('holds nothing of the rows and values of a statement that failed', async () => {
    await env.query(`
      create function spill() returns trigger language plpgsql as $$ begin
        raise exception 'cannot take %', new.name using detail = new.name, hint = to_jsonb(new)::text;
      end $$;
      create trigger spill before insert on products for each row execute function spill();
      create trigger spill before insert on users for each row execute function spill();
    `);
    const body = { sku: newId(), name: key(), price_minor: 1, currency: 'GBP' };
    expect((await post('/v1/products', { body })).status).toBe(500);
    expect((await post('/v1/users', { body: { ...user(), name: `Bearer ${FORGED_JWT}` } })).status).toBe(500);
    const adjusted = await post('/v1/auth/login', { body: { organization: tenant.slug, email: 'x', password: GUESS } });
    expect(adjusted.status).toBe(401);
    await env.query('drop trigger spill on products; drop trigger spill on users; drop function spill()');
    const failed = api.lines.filter(({ code }) => code === 'internal_error');
    expect(failed).toHaveLength(2);
    for (const { err, trace_id, organization_id } of failed) {
      expect(err).toMatchObject({
        message: expect.stringMatching(/^cannot take .*\[redacted\]$/),
        code: 'P0001',
        stack: expect.any(String),
      });
      expect([trace_id, organization_id]).toEqual([expect.stringMatching(/^[\da-f]{32}$/), tenant.id]);
    }
  });

  it('holds nothing of a job that failed, and names the job, its class, type and trace', async () => {
    const { body: connection } = await post('/v1/connections', {
      body: {
        ...{ name: 'c', url: `http://127.0.0.1:${await freePort()}/feed?token=${SIGNATURE}` },
        ...{ location: 'MAIN', bearer_token: BEARER_TOKEN, headers: { 'X-Api-Key': HEADER_VALUE } },
      },
    });
    const synced = await post(`/v1/connections/${connection.id}/sync`, { key: newId() });
    expect(synced.status).toBeLessThan(300);
    const later = await post('/v1/jobs', {
      body: { type: 'bulk.export', payload: { resource: 'products', format: 'csv' }, delay_seconds: 2, attempts: 1 },
    });
    const broken = { version: 1, data: { resource: key(), format: `Bearer ${FORGED_JWT}`, [FORGED_KEY]: 1 } };
    await env.query('update jobs set payload = $2 where id = $1', [later.body.id, JSON.stringify(broken)]);
    expect((await ended(later.body.id as string)).state).toBe('failed');
    const spilling = await post('/v1/jobs', {
      body: { type: 'bulk.export', payload: { resource: 'products', format: 'csv' }, delay_seconds: 2, attempts: 1 },
    });
    await env.query(`
      create function spill_job() returns trigger language plpgsql as $$ begin
        if new.state = 'completed' then raise exception 'job % by %', new.id, '${FORGED_KEY}'; end if;
        return new;
      end $$;
      create trigger spill_job before update on jobs for each row execute function spill_job();
    `);
    expect((await ended(spilling.body.id as string)).state).toBe('failed');
    await env.query('drop trigger spill_job on jobs; drop function spill_job()');
    const lines = worker.lines.filter(({ job_id }) => job_id === spilling.body.id);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).toMatchObject({ job_class: 'high', job_type: 'bulk.export', organization_id: tenant.id });
      expect(line.trace_id).toMatch(/^[\da-f]{32}$/);
    }
    expect(JSON.stringify(lines)).toContain('[redacted]');
  });

  it('holds nothing of what has been put into it so far, in either process', () => {
    expect(api.lines.length).toBeGreaterThan(20);
    holdNothing(api);
    holdNothing(worker);
    expect(api.output).toContain('[redacted]');
  });

  describe('of a process that does not get to work', () => {
    it('holds no password of a database', async () => {
      await failing('api', { DATABASE_APP_PASSWORD: WRONG_PASSWORD }, /password authentication failed|stockyard_app/);
      const url = new URL(env.config.DATABASE_URL);
      url.username = 'somebody';
      url.password = WRONG_PASSWORD;
      url.port = String(await freePort());
      await failing('worker', { DATABASE_URL: url.toString() }, /database does not answer/);
      await failing('api', { DATABASE_URL: `postgres://u:${WRONG_PASSWORD}@[broken` }, /DATABASE_URL|URL/);
      await failing('api', { DATABASE_SHARDS: `{"two":{"url":"postgres://u:${WRONG_PASSWORD}@` }, /DATABASE_SHARDS/);
    });

    it('holds no password of a Redis that is away or refuses it', async () => {
      const password = encodeURIComponent(REDIS_PASSWORD);
      const away = `redis://user:${password}@127.0.0.1:${await freePort()}`;
      await failing('api', { REDIS_URL: away }, /Redis is away/);
      await failing('worker', { REDIS_URL: away }, /Redis is away/);
      const server = await refusingRedis();
      const refusing = `redis://user:${password}@127.0.0.1:${(server.address() as AddressInfo).port}`;
      for (const name of ['api', 'worker'] as const) {
        await failing(
          name,
          { REDIS_URL: refusing, REDIS_CACHE_URL: refusing, REDIS_LIMITS_URL: refusing },
          /WRONGPASS/,
        );
      }
      server.close();
      await failing('api', { REDIS_CACHE_URL: `redis://u:${WRONG_PASSWORD}@[broken` }, /REDIS_CACHE_URL/);
    });

    it('holds no secret of the object store or the collector', async () => {
      const bucket = {
        ...{ STORAGE_S3_BUCKET: 'files', STORAGE_S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` },
        ...{ STORAGE_S3_ACCESS_KEY_ID: 'an-access-key', STORAGE_S3_SECRET_ACCESS_KEY: BUCKET_SECRET },
        STORAGE_S3_TIMEOUT_MS: '300',
      };
      const process = await ObservedProcess.start('api', { ...variables, ...bucket });
      const { body } = await tenant.call(process, 'GET', '/health');
      expect(body.checks.storage.status).toBe('error');
      expect((await tenant.call(process, 'GET', '/v1/products')).status).toBe(200);
      await waitFor(() => Promise.resolve(/collector does not take/.test(process.output)), {
        what: 'the collector’s line',
      });
      await process.stop();
      holdNothing(process);
      await failing('api', { OTEL_EXPORTER_OTLP_HEADERS: COLLECTOR_SECRET }, /OTEL_EXPORTER_OTLP_HEADERS must be/);
    });
  });
});
