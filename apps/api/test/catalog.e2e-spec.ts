/** Products and locations over HTTP: entity tags, optimistic locking, pages, the cache kept honest. */
import { newId } from '#libs/kernel';
import { createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { createTenant, type RunningApi, startApi, type Tenant } from './support/api-fixture';

describe('catalog', () => {
  let env: TestEnvironment;
  let apis: RunningApi[];
  let tenant: Tenant;
  let api: RunningApi;

  beforeAll(async () => {
    env = await createTestEnvironment();
    apis = await Promise.all([startApi(env), startApi(env)]);
    api = apis[0]!;
    tenant = await createTenant(api, env);
  });

  afterAll(async () => {
    await Promise.all(apis.map((each) => each.stop()));
    await env.dispose();
  });

  const create = (sku = `S-${newId()}`) =>
    tenant.call(api, 'POST', '/v1/products', { body: { sku, name: 'First', price_minor: 5, currency: 'GBP' } });

  it('sends the version as ETag and refuses a change against another version', async () => {
    const made = await create();
    expect([made.status, made.headers.get('etag')]).toEqual([201, '"1"']);
    const path = `/v1/products/${made.body.id}`;
    const change = (etag: string, name: string) =>
      tenant.call(api, 'PATCH', path, { body: { name }, headers: { 'if-match': etag } });
    const changed = await change('"1"', 'Second');
    expect([changed.status, changed.headers.get('etag'), changed.body.name]).toEqual([200, '"2"', 'Second']);
    expect(await change('"1"', 'Third')).toMatchObject({ status: 412, body: { code: 'version_mismatch', current: 2 } });
    expect((await tenant.call(api, 'GET', path)).body.name).toBe('Second');
  });

  it('lets one of many concurrent changes against one version win', async () => {
    const made = await create();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        tenant.call(apis[index % 2]!, 'PATCH', `/v1/products/${made.body.id}`, {
          body: { name: `N${index}` },
          headers: { 'if-match': '"1"' },
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(9);
  });

  it('shows a change at once where it was made, and soon in another process', async () => {
    const made = await create();
    const path = `/v1/products/${made.body.id}`;
    for (const each of apis) expect((await tenant.call(each, 'GET', path)).body.price_minor).toBe(5);
    await tenant.call(api, 'PATCH', path, { body: { price_minor: 6 } });
    expect((await tenant.call(api, 'GET', path)).body.price_minor).toBe(6);
    await waitFor(async () => (await tenant.call(apis[1]!, 'GET', path)).body.price_minor === 6, {
      what: 'the other process to see the change',
      timeoutMs: 2_000,
    });
  });

  it('never serves one tenant’s cached product to another', async () => {
    const made = await create();
    const path = `/v1/products/${made.body.id}`;
    expect((await tenant.call(api, 'GET', path)).status).toBe(200);
    const stranger = await createTenant(api, env);
    expect((await stranger.call(api, 'GET', path)).status).toBe(404);
    expect((await tenant.call(api, 'GET', path)).status).toBe(200);
  });

  it('refuses a second product with a SKU, and finds one by it', async () => {
    const { body } = await create();
    expect(await create(body.sku)).toMatchObject({ status: 409, body: { code: 'sku_taken', param: 'sku' } });
    const found = await tenant.call(api, 'GET', `/v1/products?sku=${body.sku}`);
    expect(found.body).toEqual({ data: [body], has_more: false, next_cursor: null });
  });

  it('pages through everything once', async () => {
    const other = await createTenant(api, env);
    const skus = Array.from({ length: 7 }, (_, index) => `P-${index}`);
    for (const sku of skus)
      await other.call(api, 'POST', '/v1/products', { body: { sku, name: sku, currency: 'GBP' } });
    const seen: string[] = [];
    let query = '?limit=3';
    for (;;) {
      const { body } = await other.call(api, 'GET', `/v1/products${query}`);
      seen.push(...body.data.map((product: { sku: string }) => product.sku));
      if (!body.has_more) break;
      query = `?limit=3&cursor=${body.next_cursor}`;
    }
    expect(seen).toEqual(skus);
  });

  it('takes no new orders for an archived product', async () => {
    const { body } = await create();
    await tenant.call(api, 'PATCH', `/v1/products/${body.id}`, { body: { state: 'archived' } });
    const order = { currency: 'GBP', advance_to: 'draft', lines: [{ kind: 'goods', sku: body.sku, quantity: 1 }] };
    expect(await tenant.call(api, 'POST', '/v1/orders', { key: newId(), body: order })).toMatchObject({
      status: 422,
      body: { code: 'unknown_product' },
    });
  });

  it('makes every organization a default location that cannot be archived, and others that can', async () => {
    const { body } = await tenant.call(api, 'GET', '/v1/locations');
    expect(body.data).toMatchObject([{ code: 'MAIN', is_default: true, state: 'active' }]);
    const archive = (id: string) => tenant.call(api, 'PATCH', `/v1/locations/${id}`, { body: { state: 'archived' } });
    expect(await archive(body.data[0].id)).toMatchObject({ status: 409, body: { code: 'default_location' } });
    const depot = await tenant.call(api, 'POST', '/v1/locations', { body: { code: 'DEPOT', name: 'Depot' } });
    expect(depot.status).toBe(201);
    expect(await tenant.call(api, 'POST', '/v1/locations', { body: { code: 'DEPOT', name: 'Again' } })).toMatchObject({
      status: 409,
      body: { code: 'location_code_taken', param: 'code' },
    });
    expect(await archive(depot.body.id)).toMatchObject({ status: 200, body: { state: 'archived' } });
  });

  it('documents every route, with a shape for each body', async () => {
    const { body } = await tenant.call(api, 'GET', '/docs/json');
    const operations = Object.entries(
      body.paths as Record<string, Record<string, { requestBody?: unknown; responses: object }>>,
    );
    for (const path of [
      '/v1/products',
      '/v1/orders/{id}/fulfil',
      '/v1/adjustments',
      '/v1/auth/login',
      '/v1/admin/organizations',
    ]) {
      expect(operations.map(([name]) => name)).toContain(path);
    }
    const order = body.paths['/v1/orders'].post;
    expect(order.requestBody.content['application/json'].schema.properties.lines.items.anyOf).toHaveLength(3);
    expect(order.responses['201'].content['application/json'].schema.properties.lines).toBeDefined();
    expect(order.parameters).toContainEqual(expect.objectContaining({ name: 'Idempotency-Key', required: true }));
  });
});
