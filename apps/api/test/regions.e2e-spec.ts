/** Two regions beside each other: each with a directory of its own, and sharing one. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadConfig } from '#libs/config';
import { newId, sha256 } from '#libs/kernel';
import { SealedFileLinks } from '#libs/storage';
import { createTestEnvironment, freePort, type TestEnvironment, waitFor } from '#libs/testing';
import { Redis } from 'ioredis';
import { createWorker } from '../../worker/src/create-worker';
import {
  type Answer,
  call,
  createTenant,
  type RunningApi,
  startApi,
  startApiProcess,
  stockedProduct,
  type Tenant,
} from './support/api-fixture';

const REGIONS_SECRET = 'a-secret-that-all-regions-share-12';
const PASSWORD = 'a long enough password';

interface Region {
  readonly env: TestEnvironment;
  readonly api: RunningApi;
}

/** Ports are drawn first: each region names the others' addresses. */
async function addresses(): Promise<{ ports: { eu: number; us: number }; settings: Record<string, string> }> {
  const ports = { eu: await freePort(), us: await freePort() };
  const regions = { eu: `http://127.0.0.1:${ports.eu}`, us: `http://127.0.0.1:${ports.us}` };
  return { ports, settings: { REGIONS: JSON.stringify(regions), REGIONS_SECRET } };
}

const operator = ({ env, api }: Region, method: string, path: string, body?: unknown): Promise<Answer> =>
  call(api, method, `/v1/admin${path}`, { headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` }, body });
const bearer = (credential: string) => ({ headers: { authorization: `Bearer ${credential}` } });
const keyOf = ({ headers }: Tenant): string => headers.authorization!.slice('Bearer '.length);
/** The same key with another secret. */
const forged = (key: string): string => key.slice(0, 47) + sha256(newId()).toString('base64url');
const withoutId = ({ status, body }: Answer) => [status, { ...(body as object), request_id: null }];

/** Told where to ask, and nothing that only a request which was let in is told. */
function expectSentTo(answer: Answer, region: string, api: RunningApi, path: string): void {
  expect(answer).toMatchObject({ status: 421, body: { code: 'wrong_region', region, endpoint: api.url } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('location')).toBe(api.url + path);
  for (const header of ['x-consistency-token', 'ratelimit', 'x-ratelimit-limit'])
    expect(answer.headers.has(header)).toBe(false);
}

/** A user of a tenant, logged in where it lives. */
async function loggedIn(region: Region, tenant: Tenant): Promise<{ access: string; refresh: string; email: string }> {
  const email = `u-${newId()}@example.com`;
  const user = { email, name: 'U', password: PASSWORD, role: 'admin' };
  expect((await operator(region, 'POST', `/organizations/${tenant.id}/users`, user)).status).toBe(201);
  const body = { organization: tenant.slug, email, password: PASSWORD };
  const session = await call(region.api, 'POST', '/v1/auth/login', { body });
  expect(session.status).toBe(200);
  return { access: session.body.access_token, refresh: session.body.refresh_token, email };
}

describe('regions with a directory each', () => {
  let eu: Region;
  let us: Region;
  let workers: NestFastifyApplication[];
  let tenant: Tenant;

  beforeAll(async () => {
    const { ports, settings } = await addresses();
    const quick = { ...settings, OPERATION_LEASE_MS: '5000' };
    const envs = await Promise.all([
      createTestEnvironment({ ...quick, REGION: 'eu' }),
      createTestEnvironment({
        ...quick,
        REGION: 'us',
        JWT_SECRET: 'the-jwt-secret-of-the-other-region-32',
        MESSAGING_SECRET: 'the-messaging-secret-of-the-other',
        ADMIN_TOKEN: 'the-admin-token-of-the-other-region',
      }),
    ]);
    // Two processes: what one knows, the other has from nowhere.
    const [there, here] = await Promise.all([startApiProcess(envs[1], ports.us), startApi(envs[0], ports.eu)]);
    [eu, us] = [
      { env: envs[0], api: here },
      { env: envs[1], api: there },
    ];
    workers = await Promise.all(
      envs.map(async ({ variables }) =>
        createWorker(loadConfig({ ...variables, WORKER_PORT: String(await freePort()) })),
      ),
    );
    tenant = await createTenant(eu.api, eu.env);
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    await Promise.all([eu, us].map(({ api }) => api.stop()));
    await Promise.all([eu, us].map(({ env }) => env.dispose()));
  });

  it('send a key of the other one there with the whole address, and keep nothing of it', async () => {
    const path = '/v1/stock_levels?sku=A%20B&limit=5';
    const answer = await tenant.call(us.api, 'GET', path);
    expectSentTo(answer, 'eu', eu.api, path);
    expect((await fetch(answer.headers.get('location')!, { headers: tenant.headers })).status).toBe(200);
    const order = { key: newId(), body: { currency: 'GBP', lines: [] } };
    expectSentTo(await tenant.call(us.api, 'POST', '/v1/orders', order), 'eu', eu.api, '/v1/orders');
    const redis = new Redis(us.env.config.redisLimitsUrl);
    try {
      expect(await redis.keys(`${us.env.config.REDIS_KEY_PREFIX}:*${tenant.id}*`)).toEqual([]);
    } finally {
      redis.disconnect();
    }
    expect(await us.env.query('select from tenant_places where tenant = $1', [tenant.id])).toEqual([]);
    expect(await us.env.query('select from organizations where id = $1', [tenant.id])).toEqual([]);
  });

  it('do so for access and refresh tokens, which stay good where they are from', async () => {
    const { access, refresh } = await loggedIn(eu, tenant);
    expectSentTo(await call(us.api, 'GET', '/v1/products', bearer(access)), 'eu', eu.api, '/v1/products');
    const body = { refresh_token: refresh };
    for (const path of ['/v1/auth/refresh', '/v1/auth/logout'])
      expect(await call(us.api, 'POST', path, { body })).toMatchObject({ status: 421, body: { region: 'eu' } });
    expect((await call(eu.api, 'GET', '/v1/products', bearer(access))).status).toBe(200);
    expect((await call(eu.api, 'POST', '/v1/auth/refresh', { body })).status).toBe(200);
  });

  it('tell a stranger the same of an organization of the other one as of one that is not', async () => {
    const key = keyOf(tenant);
    const nobody = `sk_${Buffer.from(newId().replaceAll('-', ''), 'hex').toString('base64url')}${key.slice(25)}`;
    const ask = async (credential: string) => withoutId(await call(us.api, 'GET', '/v1/products', bearer(credential)));
    const unknown = await ask(forged(nobody));
    expect(unknown[0]).toBe(401);
    expect(await ask(forged(key))).toEqual(unknown);
    expect(await ask(nobody)).toEqual(unknown); // a proof of another organization
    const { access, email } = await loggedIn(eu, tenant);
    const [head, claims, signature] = access.split('.');
    const changed = JSON.parse(Buffer.from(claims!, 'base64url').toString()) as Record<string, unknown>;
    const other = Buffer.from(JSON.stringify({ ...changed, sub: newId() })).toString('base64url');
    expect(await ask(`${head!}.${other}.${signature!}`)).toEqual(unknown);
    const login = async (organization: string) =>
      withoutId(await call(us.api, 'POST', '/v1/auth/login', { body: { organization, email, password: PASSWORD } }));
    expect(await login(tenant.slug)).toEqual(await login('no-such-organization'));
  });

  it('make organizations of their own, and send operators on who want another one’s', async () => {
    const make = (more: object) => operator(eu, 'POST', '/organizations', { slug: `t-${newId()}`, name: 'T', ...more });
    expect((await make({})).body).toMatchObject({ region: 'eu' });
    expect((await make({ region: 'eu' })).body).toMatchObject({ region: 'eu' });
    const path = '/v1/admin/organizations';
    expectSentTo(await make({ region: 'us' }), 'us', us.api, path);
    expect(await make({ region: 'mars' })).toMatchObject({
      status: 422,
      body: { code: 'unknown_region', param: 'region', regions: ['eu', 'us'] },
    });
  });

  it('hand an organization over by its archive: its keys work there, and are sent there from here', async () => {
    const moving = await createTenant(eu.api, eu.env);
    const { sku } = await stockedProduct(eu.api, moving, 7);
    const ended = async (region: Region, queued: Answer) => {
      expect(queued.status).toBe(202);
      const path = `/operations/${(queued.body as { id: string }).id}`;
      return waitFor(
        async () => {
          const { body } = await operator(region, 'GET', path);
          return (body as { finished_at: string | null }).finished_at
            ? (body as { id: string; state: string })
            : undefined;
        },
        { what: 'the operation to end', timeoutMs: 30_000 },
      );
    };
    const operations = `/organizations/${moving.id}/operations`;
    const wrong = { kind: 'delete', moved_to: 'eu' };
    expect(await operator(eu, 'POST', operations, wrong)).toMatchObject({
      status: 422,
      body: { code: 'unknown_region' },
    });

    const exported = await ended(eu, await operator(eu, 'POST', operations, { kind: 'export' }));
    const authorization = (region: Region) => ({ authorization: `Bearer ${region.env.config.ADMIN_TOKEN}` });
    const archive = await fetch(`${eu.api.url}/v1/admin/operations/${exported.id}/archive`, {
      headers: authorization(eu),
    });
    // Until it is there, whoever asks there is sent back.
    expectSentTo(await moving.call(us.api, 'GET', '/v1/products'), 'eu', eu.api, '/v1/products');
    const uploaded = await fetch(`${us.api.url}/v1/admin/imports`, {
      method: 'POST',
      headers: { ...authorization(us), 'content-type': 'application/gzip' },
      body: await archive.arrayBuffer(),
    });
    const imported = { status: uploaded.status, headers: uploaded.headers, body: await uploaded.json() } as Answer;
    expect(await ended(us, imported)).toMatchObject({ state: 'completed' });
    expect((await operator(us, 'GET', `/organizations/${moving.id}`)).body).toMatchObject({ region: 'us' });
    // At once, without waiting for what the processes remembered of it to grow old.
    const levels = await moving.call(us.api, 'GET', `/v1/stock_levels?sku=${sku}`);
    expect(levels).toMatchObject({ status: 200, body: { data: [{ sku, on_hand: 7 }] } });

    const deleted = await ended(eu, await operator(eu, 'POST', operations, { kind: 'delete', moved_to: 'us' }));
    expect(deleted).toMatchObject({ state: 'completed', parameters: { moved_to: 'us' } });
    expectSentTo(await moving.call(eu.api, 'GET', '/v1/products'), 'us', us.api, '/v1/products');
    const stranger = await call(eu.api, 'GET', '/v1/products', bearer(forged(keyOf(moving))));
    expect(stranger).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
  });

  it('count who was sent away, by where to', async () => {
    // Not by fetch, which asks once more over a new connection when it is told 421.
    const statusOf = async (key: string) => {
      const [answer] = (await once(get(`${us.api.url}/v1/products`, bearer(key)), 'response')) as [IncomingMessage];
      answer.resume();
      return answer.statusCode;
    };
    const count = async () => {
      const { body } = await call(us.api, 'GET', '/metrics');
      return Number(/^stockyard_wrong_region_total\{region="eu"\} (\d+)$/m.exec(String(body))?.[1] ?? 0);
    };
    const before = await count();
    const statuses = [await statusOf(keyOf(tenant)), await statusOf(forged(keyOf(tenant)))];
    expect(statuses).toEqual([421, 401]);
    expect((await count()) - before).toBe(1);
  });
});

describe('regions that share a directory', () => {
  let eu: Region;
  let us: Region;
  let european: Tenant;
  let american: Tenant;

  beforeAll(async () => {
    const { ports, settings } = await addresses();
    const env = await createTestEnvironment({}, { shards: 2 });
    const { two } = JSON.parse(env.variables.DATABASE_SHARDS!) as { two: { url: string } };
    /** Nobody listens there: whoever needs the shard of the other region fails. */
    const away = { two: { url: 'postgres://127.0.0.1:1/nowhere', region: 'us' } };
    const regionOf = async (REGION: 'eu' | 'us', shards: object): Promise<Region> => {
      const variables = {
        ...env.variables,
        ...settings,
        REGION,
        DATABASE_REGION: 'eu',
        DATABASE_SHARDS: JSON.stringify(shards),
        REDIS_KEY_PREFIX: `${env.config.REDIS_KEY_PREFIX}_${REGION}`,
      };
      const own = { ...env, variables, config: loadConfig(variables) };
      return { env: own, api: await startApi(own, ports[REGION]) };
    };
    eu = await regionOf('eu', away);
    us = await regionOf('us', { two: { url: two.url, region: 'us' } });
    european = await createTenant(eu.api, eu.env);
    american = await createTenant(us.api, us.env);
  });
  afterAll(async () => {
    await Promise.all([eu, us].map(({ api }) => api.stop()));
    await eu.env.dispose();
  });

  const placesOf = (id: string) =>
    Promise.all(
      eu.env.shards.map(async ({ query }) => (await query('select from tenant_places where tenant = $1', [id])).length),
    );

  it('keep the rows of each organization on a shard of its region, whatever its bucket says', async () => {
    expect((await operator(eu, 'GET', `/organizations/${european.id}`)).body).toMatchObject({
      region: 'eu',
      shard: 'main',
    });
    expect((await operator(us, 'GET', `/organizations/${american.id}`)).body).toMatchObject({
      ...{ region: 'us', shard: 'two', pinned: true },
    });
    expect([await placesOf(european.id), await placesOf(american.id)]).toEqual([
      [1, 0],
      [0, 1],
    ]);
    await stockedProduct(eu.api, european, 3);
    await stockedProduct(us.api, american, 4);
    const [home, two] = await Promise.all(
      eu.env.shards.map(({ query }) => query('select organization_id as id from products')),
    );
    expect([home, two]).toEqual([[{ id: european.id }], [{ id: american.id }]]);
  });

  it('send each other’s credentials there, and a link that the platform has sealed', async () => {
    expectSentTo(await american.call(eu.api, 'GET', '/v1/products'), 'us', us.api, '/v1/products');
    expectSentTo(await european.call(us.api, 'GET', '/v1/products'), 'eu', eu.api, '/v1/products');
    const { access, email } = await loggedIn(us, american);
    expectSentTo(await call(eu.api, 'GET', '/v1/products', bearer(access)), 'us', us.api, '/v1/products');
    const login = { body: { organization: american.slug, email, password: PASSWORD } };
    expect(await call(eu.api, 'POST', '/v1/auth/login', login)).toMatchObject({
      status: 401,
      body: { code: 'invalid_credentials' },
    });
    const file = { organizationId: american.id, key: 'a.csv', filename: 'a.csv', contentType: 'text/csv' };
    const sealed = new SealedFileLinks({ secret: us.env.config.MESSAGING_SECRET }).seal(
      file,
      new Date(Date.now() + 60_000),
    );
    expectSentTo(await call(eu.api, 'GET', `/v1/files/${sealed}`), 'us', us.api, `/v1/files/${sealed}`);
  });

  it('ask nothing of the other one’s shard for a stranger', async () => {
    const guess = await call(eu.api, 'GET', '/v1/products', bearer(forged(keyOf(american))));
    expect(guess).toMatchObject({ status: 401, body: { code: 'invalid_token' } });
  });

  it('show operators every organization, and send them there to change one', async () => {
    const { body } = await operator(eu, 'GET', `/organizations?slug=${american.slug}`);
    expect(body.data).toMatchObject([{ id: american.id, region: 'us' }]);
    const path = `/organizations/${american.id}`;
    const change = await operator(eu, 'PATCH', path, { state: 'suspended' });
    expectSentTo(change, 'us', us.api, `/v1/admin${path}`);
    const attempts = [
      ['PUT', `${path}/limits`, { max_users: 3 }],
      ['POST', `${path}/api_keys`, { name: 'k', role: 'owner' }],
      ['POST', `${path}/users`, { email: 'a@example.com', name: 'A', password: PASSWORD, role: 'admin' }],
      ['POST', `${path}/operations`, { kind: 'export' }],
      ['POST', `${path}/operations`, { kind: 'delete' }],
      ['POST', `${path}/reconcile`, {}],
    ] as const;
    for (const [method, at, sent] of attempts)
      expect([at, (await operator(eu, method, at, sent)).body]).toMatchObject([at, { status: 421, region: 'us' }]);
    expect((await operator(us, 'GET', path)).body).toMatchObject({ state: 'active', version: 1 });
  });

  it('place nothing on a shard of the other one: neither at first, nor by a move, nor by buckets', async () => {
    const made = { slug: `t-${newId()}`, name: 'T', shard: 'two' };
    const attempts = [
      ['POST', '/organizations', made],
      ['POST', `/organizations/${european.id}/operations`, { kind: 'move', shard: 'two' }],
      ['PUT', '/shards/buckets', { from: 0, to: 1, shard: 'two' }],
    ] as const;
    for (const [method, path, body] of attempts) {
      const answer = await operator(eu, method, path, body);
      expect(answer).toMatchObject({
        status: 422,
        body: { code: 'shard_in_other_region', region: 'us', param: 'shard' },
      });
      expect(answer.body.detail).toMatch(/export it here, import the archive there/);
    }
    const shards = async (region: Region) =>
      (await operator(region, 'GET', '/shards')).body.data.map(({ name }: { name: string }) => name) as string[];
    expect([await shards(eu), await shards(us)]).toEqual([['main'], ['two']]);
  });
});
