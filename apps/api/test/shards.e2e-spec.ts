/** Several shards behind one api: where organizations land, and what operators see of a shard that is away. */
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { shardKeyOf } from '#libs/tenancy';
import { createTestEnvironment, freePort, type TestEnvironment, waitFor, Way } from '#libs/testing';
import { createApi } from '../src/create-api';
import { type Answer, call, type RunningApi, stockedProduct, type Tenant } from './support/api-fixture';

describe('shards', () => {
  let env: TestEnvironment;
  let api: RunningApi;
  let second: Way;

  const asOperator = (method: string, path: string, body?: unknown): Promise<Answer> => {
    const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
    return call(api, method, path, { headers, ...(body === undefined ? {} : { body }) });
  };
  const create = async (more: Record<string, unknown> = {}) => {
    const slug = `t-${newId()}`;
    const made = await asOperator('POST', '/v1/admin/organizations', { slug, name: slug, tier: 'enterprise', ...more });
    return made;
  };
  const tenantOf = async (made: Answer): Promise<Tenant> => {
    const { id, slug } = made.body as { id: string; slug: string };
    const key = await asOperator('POST', `/v1/admin/organizations/${id}/api_keys`, { name: 'spec', role: 'owner' });
    const authorization = `Bearer ${(key.body as { key: string }).key}`;
    const asTenant: Tenant['call'] = (to, method, path, options = {}) =>
      call(to, method, path, { ...options, headers: { authorization, ...options.headers } });
    return { id, slug, headers: { authorization }, call: asTenant };
  };
  const placesOf = (id: string) =>
    Promise.all(env.shards.map(({ query }) => query('select epoch, state from tenant_places where tenant = $1', [id])));

  beforeAll(async () => {
    env = await createTestEnvironment({}, { shards: 2 });
    const { two } = JSON.parse(env.variables.DATABASE_SHARDS!) as { two: { url: string } };
    second = new Way(two.url);
    await second.open();
    const config = loadConfig({
      ...env.variables,
      DATABASE_SHARDS: JSON.stringify({ two: { url: second.url } }),
      API_PORT: String(await freePort()),
    });
    const app = await createApi(config);
    await app.listen(config.API_PORT, config.HOST);
    api = { url: `http://127.0.0.1:${config.API_PORT}`, stop: () => app.close() };
  });

  afterAll(async () => {
    await api.stop();
    await second.cut();
    await env.dispose();
  });

  it('an organization that is pinned lives where it is pinned, with all of its rows', async () => {
    const made = await create({ shard: 'two', limits: { max_users: 3 } });
    expect(made).toMatchObject({ status: 201, body: { shard: 'two', pinned: true } });
    const { id } = made.body as { id: string };
    expect(await placesOf(id)).toEqual([[], [{ epoch: 1, state: 'open' }]]);
    const tenant = await tenantOf(made);
    const { sku } = await stockedProduct(api, tenant, 3);
    const body = { currency: 'GBP', lines: [{ kind: 'goods', sku, quantity: 2 }] };
    expect((await tenant.call(api, 'POST', '/v1/orders', { key: newId(), body })).status).toBe(201);
    const rows = await Promise.all(
      env.shards.map(({ query }) => query('select from orders where organization_id = $1', [id])),
    );
    expect(rows.map(({ length }) => length)).toEqual([0, 1]);
    const overrides = 'select max_users from tenant_limits where organization_id = $1';
    expect(await env.shards[1]!.query(overrides, [id])).toEqual([{ max_users: 3 }]);
  });

  it('a bucket that is given away strands nobody, and new organizations follow it', async () => {
    const before = await create();
    expect(before.body).toMatchObject({ shard: 'main', pinned: false });
    const { id } = before.body as { id: string };
    const bucket = shardKeyOf(id);
    const assigned = await asOperator('PUT', '/v1/admin/shards/buckets', { from: bucket, to: bucket, shard: 'two' });
    expect(assigned).toMatchObject({ status: 200, body: { reassigned: 1, pinned: 1 } });
    const after = await asOperator('GET', `/v1/admin/organizations/${id}`);
    expect(after.body).toMatchObject({ shard: 'main', pinned: true });
    expect((await (await tenantOf(before)).call(api, 'GET', '/v1/locations')).body.data).toHaveLength(1);
    await asOperator('PUT', '/v1/admin/shards/buckets', { from: 0, to: 1023, shard: 'two' });
    expect((await create()).body).toMatchObject({ shard: 'two', pinned: false });
    await asOperator('PUT', '/v1/admin/shards/buckets', { from: 0, to: 1023, shard: 'main' });
  });

  it.each([
    [
      'an unknown shard',
      'POST',
      '/v1/admin/organizations',
      { slug: 'x1', name: 'x', shard: 'nine' },
      422,
      'unknown_shard',
    ],
    [
      'buckets of an unknown shard',
      'PUT',
      '/v1/admin/shards/buckets',
      { from: 1, to: 2, shard: 'nine' },
      422,
      'unknown_shard',
    ],
    [
      'a range that ends before it begins',
      'PUT',
      '/v1/admin/shards/buckets',
      { from: 2, to: 1, shard: 'two' },
      400,
      'invalid_range',
    ],
    [
      'a bucket beyond the last',
      'PUT',
      '/v1/admin/shards/buckets',
      { from: 0, to: 1024, shard: 'two' },
      400,
      undefined,
    ],
  ] as const)('refuses %s, and nothing is written', async (_, method, path, body, status, code) => {
    const state = () =>
      env.query(
        'select (select count(*) from organizations) o, (select md5(string_agg(shard, $1 order by bucket)) from shard_buckets) b',
        [','],
      );
    const before = await state();
    const answer = await asOperator(method, path, body);
    expect(answer.status).toBe(status);
    if (code) expect(answer.body.code).toBe(code);
    expect(await state()).toEqual(before);
  });

  it('suspends on the shard where the tenant lives: writes stop, reads go on', async () => {
    const made = await create({ shard: 'two' });
    const tenant = await tenantOf(made);
    const { body } = await asOperator('PATCH', `/v1/admin/organizations/${tenant.id}`, { state: 'suspended' });
    expect(await placesOf(tenant.id)).toEqual([[], [{ epoch: body.epoch, state: 'suspended' }]]);
    const product = { body: { sku: 'A', name: 'A', price_minor: 1, currency: 'GBP' } };
    expect((await tenant.call(api, 'POST', '/v1/products', product)).body.code).toBe('organization_not_active');
    expect((await tenant.call(api, 'GET', '/v1/products')).status).toBe(200);
    await asOperator('PATCH', `/v1/admin/organizations/${tenant.id}`, { state: 'active' });
    expect((await tenant.call(api, 'POST', '/v1/products', product)).status).toBe(201);
  });

  it('says which shard is missing instead of failing or pretending, and tenants of the others go on', async () => {
    const [here, there] = [await tenantOf(await create()), await tenantOf(await create({ shard: 'two' }))];
    const whole = await asOperator('GET', '/v1/admin/shards');
    expect(whole.body.missing).toEqual([]);
    expect(whole.body.data).toMatchObject([
      { name: 'main', home: true, buckets: 1024 },
      { name: 'two', home: false, buckets: 0, nodes: [{ role: 'primary', up: true, lag_ms: 0 }] },
    ]);
    expect(whole.body.data[1].tenants.open).toBeGreaterThan(0);
    await second.cut();
    const partial = await waitFor(
      async () => {
        const answer = await asOperator('GET', '/v1/admin/shards');
        return answer.body.missing.length > 0 ? answer : undefined;
      },
      { what: 'the shard to be missed' },
    );
    expect(partial).toMatchObject({ status: 200, body: { missing: ['two'] } });
    expect(partial.body.data[1]).toMatchObject({ name: 'two', tenants: null, database_bytes: null });
    expect((await asOperator('GET', '/v1/admin/dead_letters')).body).toEqual({ data: [], missing: ['two'] });
    const write = (tenant: Tenant) =>
      tenant.call(api, 'POST', '/v1/locations', { body: { code: newId().slice(-12), name: 'x' } });
    expect((await write(here)).status).toBe(201);
    const refused = await write(there);
    expect([refused.status, refused.body.code]).toEqual([503, 'database_unavailable']);
    expect(refused.headers.get('retry-after')).toBe('1');
    await second.open();
    await waitFor(async () => (await write(there)).status === 201, { what: 'the shard to be back' });
  });
});
