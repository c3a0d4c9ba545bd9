import { type ApiKeyRequest, ApiKeyService, ApiKeyVerifier, type VerifiedApiKey } from '#libs/identity';
import { newId } from '#libs/kernel';
import { type TestOrganization, waitFor } from '#libs/testing';
import { IdentityApp, refused } from './identity-app';

const idText = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');

describe('API keys', () => {
  let app: IdentityApp;
  let shop: TestOrganization;
  let neighbour: TestOrganization;

  beforeAll(async () => {
    app = await IdentityApp.start();
    shop = await app.organization();
    neighbour = await app.organization();
  });

  afterAll(() => app.close());

  const make = (organization: TestOrganization, change: Partial<ApiKeyRequest> = {}) =>
    app.as(organization, () => app.get(ApiKeyService).create({ name: 'spec', role: 'viewer', ...change }));
  const verify = (key: string): Promise<VerifiedApiKey> => app.get(ApiKeyVerifier).verify(key);

  it('are shown once, stored as a digest, and speak for their organization with the permissions of role and scopes', async () => {
    const { key, apiKey } = await make(shop, { role: 'operator', scopes: ['orders:read', 'orders:write'] });
    expect(key).toMatch(/^sk_[\w-]{87}$/);
    expect(apiKey.hint).toBe(key.slice(-4));
    await expect(verify(key)).resolves.toMatchObject({
      organizationId: shop.id,
      id: apiKey.id,
      permissions: new Set(['orders:read', 'orders:write']),
    });
    const [row] = await app.env.query<Record<string, unknown>>('select * from api_keys where id = $1', [apiKey.id]);
    expect(JSON.stringify(row)).not.toContain(key.slice(47));
    const listed = await app.as(shop, () => app.get(ApiKeyService).list({ limit: 100 }));
    expect(listed.find(({ id }) => id === apiKey.id)).not.toHaveProperty('secretHash');
  });

  it('never lead to another organization: exchanged bytes are refused, for every pair of keys', async () => {
    const [mine, theirs] = [await make(shop), await make(neighbour)];
    const parts = (key: string) => [key.slice(3, 25), key.slice(25, 47), key.slice(47)] as const;
    const choices = [parts(mine.key), parts(theirs.key), [idText(newId()), idText(newId()), 'A'.repeat(43)]] as const;
    let accepted = 0;
    for (const organization of choices) {
      for (const row of choices) {
        for (const secret of choices) {
          const key = `sk_${organization[0]}${row[1]}${secret[2]}`;
          const found = await verify(key).catch(() => undefined);
          if (!found) continue;
          accepted += 1;
          expect(key === mine.key || key === theirs.key).toBe(true);
          expect(found.organizationId).toBe(key === mine.key ? shop.id : neighbour.id);
        }
      }
    }
    expect(accepted).toBe(2);
  });

  it('stop at their expiry', async () => {
    const { key } = await make(shop, { expiresAt: new Date(app.clock.nowMs() + 60_000) });
    await verify(key);
    app.clock.advance(60_000);
    await expect(verify(key)).rejects.toEqual(refused('api_key_expired'));
  });

  it('stop in this process the moment they are revoked, and the others are told', async () => {
    const { key, apiKey } = await make(shop);
    await verify(key);
    await app.as(shop, () => app.get(ApiKeyService).revoke(apiKey.id));
    await expect(verify(key)).rejects.toEqual(refused('api_key_revoked'));
    expect(app.events).toContainEqual({
      name: 'cache.invalidated',
      payload: { organization_id: shop.id, namespace: 'api-key', key: apiKey.id },
    });
    await app.as(shop, () => app.get(ApiKeyService).revoke(apiKey.id)); // again: nothing more happens
    const actions = await app.env.query('select action from audit_log where target_id = $1 order by id', [apiKey.id]);
    expect(actions).toEqual([{ action: 'api_key.created' }, { action: 'api_key.revoked' }]);
  });

  it('cannot be revoked or read from another organization', async () => {
    const { key, apiKey } = await make(shop);
    const keys = app.get(ApiKeyService);
    await expect(app.as(neighbour, () => keys.revoke(apiKey.id))).rejects.toEqual(refused('not_found'));
    await expect(app.as(neighbour, () => keys.get(apiKey.id))).rejects.toEqual(refused('not_found'));
    await expect(verify(key)).resolves.toBeDefined();
  });

  it('cannot hold more than whoever makes them', async () => {
    const keys = app.get(ApiKeyService);
    const narrow = { permissions: new Set(['keys:write', 'orders:read']) };
    const attempt = (request: Omit<ApiKeyRequest, 'name'>) =>
      app.as(shop, () => keys.create({ name: 'spec', ...request }), narrow);
    await expect(attempt({ role: 'viewer' })).rejects.toEqual(refused('permission_denied'));
    await expect(attempt({ role: 'owner', scopes: ['orders:write'] })).rejects.toEqual(refused('permission_denied'));
    await expect(attempt({ role: 'owner', scopes: ['orders:read'] })).resolves.toBeDefined();
  });

  it('cannot have scopes beyond their role nor an expiry in the past', async () => {
    await expect(make(shop, { role: 'viewer', scopes: ['orders:write'] })).rejects.toEqual(
      refused('scope_not_in_role'),
    );
    const expiresAt = new Date(app.clock.nowMs());
    await expect(make(shop, { expiresAt })).rejects.toEqual(refused('expiry_in_past'));
  });

  it('tell when they were last used, written once for many uses', async () => {
    const { key, apiKey } = await make(shop);
    await Promise.all(Array.from({ length: 50 }, () => verify(key)));
    const lastUsed = () => app.as(shop, async () => (await app.get(ApiKeyService).get(apiKey.id)).lastUsedAt);
    const seen = await waitFor(lastUsed, { what: 'the time of last use' });
    expect(seen).toBeInstanceOf(Date);
  });
});
