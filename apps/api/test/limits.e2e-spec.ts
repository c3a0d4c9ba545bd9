/** What a client sees at each limit of its organization: a problem document that names it, and nothing kept. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '#libs/kernel';
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { type Answer, call, type CallOptions, type RunningApi, startApi, startApiProcess } from './support/api-fixture';

// Where a busy machine takes longer than 50 ms to ask Redis, each process counts for itself for a moment.
jest.retryTimes(1, { logErrorsBeforeRetry: true });

describe('the limits of an organization', () => {
  let env: TestEnvironment;
  let apis: RunningApi[];

  beforeAll(async () => {
    env = await createTestEnvironment({ USAGE_FLUSH_MS: '200' });
    apis = await Promise.all([startApi(env), startApiProcess(env)]);
  });

  afterAll(async () => {
    await Promise.all(apis.map((api) => api.stop()));
    await env.dispose();
  });

  type Caller = (method: string, path: string, options?: CallOptions, api?: RunningApi) => Promise<Answer>;

  async function tenantWith(limits: Readonly<Record<string, number>>): Promise<{ id: string; call: Caller }> {
    const { id } = await createOrganization(env, { tier: 'professional' });
    const [columns, values] = [Object.keys(limits), Object.values(limits)];
    await env.query(
      `insert into tenant_limits (organization_id, ${columns.join(', ')}) values ($1, ${values.join(', ')})`,
      [id],
    );
    const made = await call(apis[0]!, 'POST', `/v1/admin/organizations/${id}/api_keys`, {
      headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
      body: { name: 'spec', role: 'owner' },
    });
    const authorization = `Bearer ${(made.body as { key: string }).key}`;
    return {
      id,
      call: (method, path, options = {}, api = apis[0]!) =>
        call(api, method, path, { ...options, headers: { authorization, ...options.headers } }),
    };
  }

  const upload = (content: string): CallOptions => ({
    raw: content,
    key: newId(),
    headers: { 'content-type': 'text/csv' },
  });

  it('refuse a user too many with 403', async () => {
    const tenant = await tenantWith({ max_users: 1 });
    const user = (n: number) => ({
      email: `u${n}@example.com`,
      name: 'U',
      role: 'viewer',
      password: 'long enough to pass',
    });
    expect((await tenant.call('POST', '/v1/users', { body: user(1) })).status).toBe(201);
    const refused = await tenant.call('POST', '/v1/users', { body: user(2) });
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: 'limit_exceeded', limit: 'max_users', maximum: 1, requested: 2 });
  });

  it('refuse an upload that does not fit with 403 and keep nothing of it', async () => {
    const tenant = await tenantWith({ max_storage_bytes: 200 });
    const line = (n: number) => `S-${n},Some product,1.00,EUR\n`;
    const fits = `sku,name,price,currency\n${line(1)}`;
    expect((await tenant.call('POST', '/v1/imports', upload(fits))).status).toBe(202);
    const refused = await tenant.call('POST', '/v1/imports', upload(fits + line(2).repeat(50)));
    expect(refused.status).toBe(403);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(refused.body).toMatchObject({
      code: 'limit_exceeded',
      limit: 'max_storage_bytes',
      maximum: 200,
      in_use: fits.length,
    });
    expect(readdirSync(join(env.config.STORAGE_DIR, tenant.id, 'imports'))).toHaveLength(1);
    const jobs = await tenant.call('GET', '/v1/jobs');
    expect((jobs.body as { data: unknown[] }).data).toHaveLength(1);
  });

  it('refuse a call too many of the hour with 429 in every process, and say when the hour ends', async () => {
    const tenant = await tenantWith({ api_calls_per_hour: 40 });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => tenant.call('GET', '/v1/products', {}, apis[index % 2])),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(40);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(refused.body).toMatchObject({
      code: 'limit_exceeded',
      limit: 'api_calls_per_hour',
      maximum: 40,
      in_use: 40,
    });
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(3_600);
  });
});
