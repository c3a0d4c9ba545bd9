/** Who may call what, over HTTP: operators, users, API keys; and what each endpoint of identity answers. */
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { ORGANIZATION } from '../src/admin/organization.shape';
import { API_KEY, NEW_API_KEY } from '../src/api-keys/api-key.shape';
import { AUDIT_PAGE } from '../src/audit/audit-log.shape';
import { TOKENS } from '../src/auth/auth.shape';
import { ME, OWN_ORGANIZATION } from '../src/organization/organization.shape';
import { USER, USER_PAGE } from '../src/users/user.shape';
import { forgetLimits, type Answer, call, type CallOptions, type RunningApi, startApi } from './support/api-fixture';

const PASSWORD = 'a long enough password';
const PLENTY = { requests_per_minute: 1_000_000, auth_attempts_per_15_minutes: 1_000_000 };

interface Documented {
  validate(value: unknown): { readonly issues?: readonly unknown[] | undefined };
}

describe('identity over HTTP', () => {
  let env: TestEnvironment;
  let api: RunningApi;

  const as = (credential: string, method: string, path: string, options: CallOptions = {}): Promise<Answer> =>
    call(api, method, path, { ...options, headers: { authorization: `Bearer ${credential}`, ...options.headers } });
  const operator = (method: string, path: string, body?: unknown): Promise<Answer> =>
    as(env.config.ADMIN_TOKEN, method, path, body === undefined ? {} : { body });

  async function organization(change: Record<string, unknown> = {}): Promise<{ id: string; slug: string }> {
    const body = { slug: `o-${newId()}`, name: 'An organization', limits: PLENTY, ...change };
    return (await operator('POST', '/v1/admin/organizations', body)).body as { id: string; slug: string };
  }
  async function apiKey(id: string, body: Record<string, unknown> = {}): Promise<{ id: string; key: string }> {
    const made = await operator('POST', `/v1/admin/organizations/${id}/api_keys`, {
      name: 'k',
      role: 'owner',
      ...body,
    });
    return made.body as { id: string; key: string };
  }
  const login = (slug: string, email: string, password = PASSWORD) =>
    call(api, 'POST', '/v1/auth/login', { body: { organization: slug, email, password } });

  const expectProblem = (answer: Answer, status: number, code: string) => {
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ status, code, request_id: expect.any(String) });
    expect(answer.status).toBe(status);
  };
  const expectShape = (answer: Answer, status: number, documented: Documented) => {
    expect({ status: answer.status, issues: documented.validate(answer.body).issues }).toEqual({
      status,
      issues: undefined,
    });
  };

  beforeAll(async () => {
    env = await createTestEnvironment();
    api = await startApi(env);
  });

  beforeEach(() => forgetLimits(env)); // all of these specs log in from one address

  afterAll(async () => {
    await api.stop();
    await env.dispose();
  });

  describe('credentials', () => {
    it('are asked for on every route but the public ones, and each fault has its code', async () => {
      expectProblem(await call(api, 'GET', '/v1/me'), 401, 'authentication_required');
      expectProblem(await call(api, 'GET', '/v1/admin/organizations'), 401, 'authentication_required');
      for (const wrong of ['nonsense', `sk_${'A'.repeat(87)}`, 'a.b.c', env.config.ADMIN_TOKEN]) {
        expectProblem(await as(wrong, 'GET', '/v1/me'), 401, 'invalid_token');
      }
      const basic = await call(api, 'GET', '/v1/me', { headers: { authorization: 'Basic YTpi' } });
      expectProblem(basic, 401, 'invalid_token');
      expect(basic.headers.get('www-authenticate')).toBe('Bearer');
    });

    it('of a tenant open no operator route', async () => {
      const { key } = await apiKey((await organization()).id);
      expectProblem(await as(key, 'GET', '/v1/admin/organizations'), 401, 'invalid_token');
      expectProblem(await as(`${env.config.ADMIN_TOKEN}x`, 'GET', '/v1/admin/organizations'), 401, 'invalid_token');
    });

    it('that lack a permission are refused with its name', async () => {
      const { key } = await apiKey((await organization()).id, { role: 'viewer' });
      const refused = await as(key, 'GET', '/v1/users');
      expectProblem(refused, 403, 'permission_denied');
      expect(refused.body.permission).toBe('users:read');
    });

    it('that were revoked or have expired say so', async () => {
      const { id } = await organization();
      const [admin, spare] = [await apiKey(id), await apiKey(id)];
      expect((await as(spare.key, 'GET', '/v1/me')).status).toBe(200);
      expect((await as(admin.key, 'DELETE', `/v1/api_keys/${spare.id}`)).status).toBe(204);
      expectProblem(await as(spare.key, 'GET', '/v1/me'), 401, 'api_key_revoked');
      const brief = await apiKey(id, { expires_at: new Date(Date.now() + 1_500).toISOString() });
      expect((await as(brief.key, 'GET', '/v1/me')).status).toBe(200);
      await waitFor(async () => (await as(brief.key, 'GET', '/v1/me')).body.code === 'api_key_expired', {
        what: 'the key to expire',
      });
    });

    it('revoked in one process stop in the other', async () => {
      const other = await startApi(env);
      try {
        const { id } = await organization();
        const [admin, spare] = [await apiKey(id), await apiKey(id)];
        const there = () => call(other, 'GET', '/v1/me', { headers: { authorization: `Bearer ${spare.key}` } });
        expect((await there()).status).toBe(200);
        await as(admin.key, 'DELETE', `/v1/api_keys/${spare.id}`);
        await waitFor(async () => (await there()).status === 401, {
          what: 'the other process to hear',
          timeoutMs: 2_000,
        });
      } finally {
        await other.stop();
      }
    });
  });

  describe('organizations', () => {
    it('are made whole: default location, first owner, key; and listed by slug', async () => {
      const slug = `o-${newId()}`;
      const owner = { email: 'Owner@Example.com', name: 'First Owner', password: PASSWORD };
      const limits = { max_users: 3, ...PLENTY };
      const made = await operator('POST', '/v1/admin/organizations', {
        slug,
        name: 'Whole',
        tier: 'starter',
        limits,
        owner,
      });
      expectShape(made, 201, ORGANIZATION);
      expect(made.body.limits).toMatchObject({ max_users: 3, exports_per_hour: 30 });
      expect(made.headers.get('etag')).toBe('"1"');
      const listed = await operator('GET', `/v1/admin/organizations?slug=${slug}`);
      expect(listed.body).toEqual({ data: [made.body], has_more: false, next_cursor: null });
      const { key } = await apiKey(made.body.id as string);
      const locations = await as(key, 'GET', '/v1/locations');
      expect(locations.body.data).toHaveLength(1);
      const session = await login(slug, 'owner@example.com');
      expectShape(session, 200, TOKENS);
      const me = await as(session.body.access_token as string, 'GET', '/v1/me');
      expectShape(me, 200, ME);
      expect(me.body).toMatchObject({ organization: { slug }, actor: { type: 'user' } });
      expect(me.body.permissions).toContain('users:write');
      expectShape(await as(key, 'GET', '/v1/organization'), 200, OWN_ORGANIZATION);
    });

    it('refuse a taken slug, unknown fields, bad values and unknown ids', async () => {
      const { slug } = await organization();
      expectProblem(await operator('POST', '/v1/admin/organizations', { slug, name: 'x' }), 409, 'slug_taken');
      const bad = (body: unknown) => operator('POST', '/v1/admin/organizations', body);
      expectProblem(await bad({ slug: 'Not A Slug', name: 'x' }), 400, 'invalid_value');
      expectProblem(await bad({ slug: `o-${newId()}`, name: 'nul\u0000' }), 400, 'invalid_value');
      expectProblem(await bad({ slug: `o-${newId()}`, name: 'x', limits: { max_users: 0 } }), 400, 'invalid_value');
      expectProblem(await bad({ slug: `o-${newId()}`, name: 'x', plan: 'gold' }), 400, 'unknown_field');
      expectProblem(await operator('GET', `/v1/admin/organizations/${newId()}`), 404, 'not_found');
      expectProblem(await operator('GET', '/v1/admin/organizations/nonsense'), 400, 'invalid_value');
      const orphan = await operator('POST', `/v1/admin/organizations/${newId()}/api_keys`, {
        name: 'k',
        role: 'owner',
      });
      expectProblem(orphan, 404, 'not_found');
    });

    it('can be read but not written while suspended, and their limits set and taken back', async () => {
      const { id } = await organization();
      const { key } = await apiKey(id);
      const suspended = await operator('PATCH', `/v1/admin/organizations/${id}`, { state: 'suspended' });
      expect(suspended.body).toMatchObject({ state: 'suspended', epoch: 2, version: 2 });
      expect((await as(key, 'GET', '/v1/me')).body.organization.state).toBe('suspended');
      const write = await as(key, 'POST', '/v1/api_keys', { body: { name: 'k', role: 'viewer' } });
      expectProblem(write, 403, 'organization_not_active');
      await operator('PATCH', `/v1/admin/organizations/${id}`, { state: 'active' });
      expect((await as(key, 'POST', '/v1/api_keys', { body: { name: 'k', role: 'viewer' } })).status).toBe(201);
      const limited = await operator('PUT', `/v1/admin/organizations/${id}/limits`, { max_users: 2 });
      expect(limited.body.limits).toMatchObject({ max_users: 2, requests_per_minute: 1_000_000 });
      const back = await operator('PUT', `/v1/admin/organizations/${id}/limits`, { max_users: null });
      expect(back.body.limits.max_users).toBe(5);
      const stale = await as(env.config.ADMIN_TOKEN, 'PATCH', `/v1/admin/organizations/${id}`, {
        body: { name: 'Late' },
        headers: { 'if-match': '"1"' },
      });
      expectProblem(stale, 412, 'version_mismatch');
    });
  });

  describe('users', () => {
    it('are managed by their organization, within its limit, with ETag and If-Match', async () => {
      const { id, slug } = await organization({ limits: { ...PLENTY, max_users: 2 } });
      const { key } = await apiKey(id);
      const user = { email: 'ann@example.com', name: 'Ann', role: 'owner', password: PASSWORD };
      const made = await as(key, 'POST', '/v1/users', { body: user });
      expectShape(made, 201, USER);
      expectProblem(await as(key, 'POST', '/v1/users', { body: user }), 409, 'email_taken');
      const second = await operator('POST', `/v1/admin/organizations/${id}/users`, {
        ...user,
        email: 'bob@example.com',
      });
      expect(second.status).toBe(201);
      const third = await as(key, 'POST', '/v1/users', { body: { ...user, email: 'cy@example.com' } });
      expectProblem(third, 403, 'limit_exceeded');
      expect(third.body).toMatchObject({ limit: 'max_users', maximum: 2 });

      const page = await as(key, 'GET', '/v1/users?limit=1');
      expectShape(page, 200, USER_PAGE);
      expect(page.body).toMatchObject({ has_more: true, data: [{ email: 'ann@example.com' }] });
      const next = await as(key, 'GET', `/v1/users?limit=1&cursor=${page.body.next_cursor as string}`);
      expect(next.body).toMatchObject({ has_more: false, data: [{ email: 'bob@example.com' }] });
      expectProblem(await as(key, 'GET', '/v1/users?cursor=nonsense'), 400, 'invalid_cursor');

      const path = `/v1/users/${made.body.id as string}`;
      const patch = (body: unknown, version: string) =>
        as(key, 'PATCH', path, { body, headers: { 'if-match': version } });
      const changed = await patch({ role: 'viewer' }, made.headers.get('etag')!);
      expect(changed.body).toMatchObject({ role: 'viewer', version: 2 });
      expectProblem(await patch({ name: 'Late' }, made.headers.get('etag')!), 412, 'version_mismatch');
      expectProblem(await as(key, 'DELETE', `/v1/users/${second.body.id as string}`), 409, 'last_owner');
      expect((await login(slug, 'ann@example.com')).status).toBe(200);
      expect((await as(key, 'DELETE', path)).status).toBe(204);
      expectProblem(await as(key, 'GET', path), 404, 'not_found');
      expectProblem(await login(slug, 'ann@example.com'), 401, 'invalid_credentials');
      expect(JSON.stringify([made.body, page.body])).not.toMatch(/password|argon2/);
    });

    it('of another organization answer 404, byte for byte as an unknown id does', async () => {
      const [mine, theirs] = [await organization(), await organization()];
      const { key } = await apiKey(mine.id);
      const foreign = await apiKey(theirs.id);
      const strip = ({ body, status }: Answer) => JSON.stringify({ ...body, request_id: '', status });
      const unknown = await as(key, 'GET', `/v1/api_keys/${newId()}`);
      expect(strip(await as(key, 'GET', `/v1/api_keys/${foreign.id}`))).toBe(strip(unknown));
      expectProblem(unknown, 404, 'not_found');
      expectProblem(await as(key, 'DELETE', `/v1/api_keys/${foreign.id}`), 404, 'not_found');
      expect((await as(foreign.key, 'GET', '/v1/me')).status).toBe(200);
    });
  });

  describe('sessions', () => {
    it('refresh once a token, end on reuse and at logout', async () => {
      const owner = { email: 'owner@example.com', name: 'Owner', password: PASSWORD };
      const { slug } = await organization({ owner });
      const refresh = (token: unknown) => call(api, 'POST', '/v1/auth/refresh', { body: { refresh_token: token } });
      const first = await login(slug, owner.email);
      const second = await refresh(first.body.refresh_token);
      expectShape(second, 200, TOKENS);
      expectProblem(await refresh(first.body.refresh_token), 401, 'refresh_token_reused');
      expectProblem(await refresh(second.body.refresh_token), 401, 'token_revoked');
      const again = await login(slug, owner.email);
      const body = { refresh_token: again.body.refresh_token as string };
      expect((await call(api, 'POST', '/v1/auth/logout', { body })).status).toBe(204);
      expectProblem(await refresh(again.body.refresh_token), 401, 'token_revoked');
      expectProblem(await refresh('nonsense'), 401, 'invalid_token');
    });

    it('answer every wrong login alike', async () => {
      const owner = { email: 'owner@example.com', name: 'Owner', password: PASSWORD };
      const { slug } = await organization({ owner });
      const answers = [
        await login(slug, owner.email, 'wrong password'),
        await login(slug, 'nobody@example.com'),
        await login('no-such-organization', owner.email),
        await login('\u007f', '\u0001'),
      ];
      const bodies = new Set(answers.map(({ body, status }) => JSON.stringify({ ...body, request_id: '', status })));
      expect(bodies.size).toBe(1);
      expectProblem(answers[0]!, 401, 'invalid_credentials');
    });
  });

  it('shows keys once and tells in the audit log who did what, newest first', async () => {
    const { id } = await organization();
    const admin = await apiKey(id);
    const made = await as(admin.key, 'POST', '/v1/api_keys', {
      body: { name: 'till', role: 'operator', scopes: ['orders:write'] },
    });
    expectShape(made, 201, NEW_API_KEY);
    const read = await as(admin.key, 'GET', `/v1/api_keys/${made.body.id as string}`);
    expectShape(read, 200, API_KEY);
    expect(read.body).toMatchObject({
      hint: (made.body.key as string).slice(-4),
      created_by: admin.id,
      scopes: ['orders:write'],
    });
    expect(read.body).not.toHaveProperty('key');
    const greedy = await as(made.body.key as string, 'GET', '/v1/api_keys');
    expectProblem(greedy, 403, 'permission_denied');
    const log = await as(admin.key, 'GET', '/v1/audit_log?limit=2');
    expectShape(log, 200, AUDIT_PAGE);
    expect(log.body.has_more).toBe(true);
    expect(log.body.data).toMatchObject([
      { action: 'api_key.created', actor: { type: 'api_key', id: admin.id }, target: { id: made.body.id } },
      { action: 'api_key.created', actor: { type: 'operator', id: null }, target: { id: admin.id } },
    ]);
    const rest = await as(admin.key, 'GET', `/v1/audit_log?limit=2&cursor=${log.body.next_cursor as string}`);
    expect(rest.body.data).toMatchObject([{ action: 'organization.created', target: { type: 'organization', id } }]);
    const rows = await env.query('select * from audit_log where organization_id = $1', [id]);
    for (const secret of [admin.key, made.body.key as string])
      expect(JSON.stringify(rows)).not.toContain(secret.slice(47));
  });

  it.each([
    ['post', '/v1/auth/login', '200', 'access_token'],
    ['get', '/v1/me', '200', 'permissions'],
    ['get', '/v1/organization', '200', 'limits'],
    ['post', '/v1/users', '201', 'email'],
    ['patch', '/v1/users/{id}', '200', 'version'],
    ['post', '/v1/api_keys', '201', 'key'],
    ['get', '/v1/audit_log', '200', 'next_cursor'],
    ['put', '/v1/admin/organizations/{id}/limits', '200', 'limits'],
  ])('documents %s %s with what it takes and answers', async (method, path, status, field) => {
    const { body: document } = await call(api, 'GET', '/docs/json');
    const operation = document.paths[path][method];
    expect(JSON.stringify(operation.responses[status].content)).toContain(`"${field}"`);
    if (method !== 'get')
      expect(JSON.stringify(operation.requestBody.content)).toContain('"additionalProperties":false');
  });
});
