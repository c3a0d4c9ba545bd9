import { ManualClock, newId } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { ClsServiceManager } from 'nestjs-cls';
import { encodeToken, newSecret, secretHash } from '../tokens/opaque-token';
import type { ApiKeyUsage } from './api-key-usage.service';
import { ApiKeyVerifier } from './api-key-verifier.service';
import type { ApiKeyCredential, ApiKeyRepository } from './api-key.repository';

/** A verifier over rows in memory that counts look-ups and can hold them up. */
function setup() {
  const tenant = new TenantContextHolder(ClsServiceManager.getClsService());
  const clock = new ManualClock();
  const rows = new Map<string, ApiKeyCredential>();
  const lookups: { organizationId: string; id: string }[] = [];
  const gate = { hold: Promise.resolve() };
  const repository: Pick<ApiKeyRepository, 'credential'> = {
    credential: async (id) => {
      const { organizationId } = tenant.current();
      lookups.push({ organizationId, id });
      const row = rows.get(`${organizationId}/${id}`);
      await gate.hold;
      return row;
    },
  };
  const used: string[] = [];
  const usage: Pick<ApiKeyUsage, 'touch'> = { touch: (_, id) => void used.push(id) };
  const verifier = new ApiKeyVerifier(repository as ApiKeyRepository, usage as ApiKeyUsage, tenant, clock);
  const add = (change: Partial<ApiKeyCredential> = {}) => {
    const parts = { organizationId: newId(), id: newId(), secret: newSecret() };
    const row = { role: 'viewer', scopes: null, expiresAt: null, revokedAt: null, ...change } as const;
    rows.set(`${parts.organizationId}/${parts.id}`, { secretHash: secretHash(parts.secret), ...row });
    return { ...parts, key: encodeToken('sk_', parts), row: `${parts.organizationId}/${parts.id}` };
  };
  return { verifier, clock, rows, lookups, gate, used, add };
}

const refusal = (code: string): unknown => expect.objectContaining({ code, category: 'unauthenticated' });

describe('ApiKeyVerifier', () => {
  it('answers organization, id and permissions, and asks the database once for many uses', async () => {
    const { verifier, lookups, used, add } = setup();
    const { key, organizationId, id } = add({ scopes: ['orders:read'] });
    const answers = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(key)));
    await verifier.verify(key);
    expect(answers[0]).toMatchObject({ organizationId, id, permissions: new Set(['orders:read']) });
    expect(lookups).toEqual([{ organizationId, id }]);
    expect(used).toHaveLength(21);
  });

  it('refuses a wrong secret like an unknown key, without saying that the key is revoked', async () => {
    const { verifier, add } = setup();
    const { organizationId, id } = add({ revokedAt: new Date() });
    const guessed = encodeToken('sk_', { organizationId, id, secret: newSecret() });
    await expect(verifier.verify(guessed)).rejects.toEqual(refusal('invalid_token'));
  });

  it('remembers that a key is unknown', async () => {
    const { verifier, lookups } = setup();
    const key = encodeToken('sk_', { organizationId: newId(), id: newId(), secret: newSecret() });
    await expect(verifier.verify(key)).rejects.toEqual(refusal('invalid_token'));
    await expect(verifier.verify(key)).rejects.toEqual(refusal('invalid_token'));
    expect(lookups).toHaveLength(1);
  });

  it('compares the expiry at each use, cached or not', async () => {
    const { verifier, clock, add } = setup();
    const { key } = add({ expiresAt: new Date(clock.nowMs() + 1_000) });
    await verifier.verify(key);
    clock.advance(1_000);
    await expect(verifier.verify(key)).rejects.toEqual(refusal('api_key_expired'));
  });

  it('forgets a revoked key at the hint, and ignores hints for others', async () => {
    const { verifier, rows, lookups, add } = setup();
    const { key, id, row, organizationId } = add();
    await verifier.verify(key);
    rows.set(row, { ...rows.get(row)!, revokedAt: new Date() });
    verifier.onCacheInvalidated({ organization_id: organizationId, namespace: 'product', key: id });
    verifier.onCacheInvalidated({ organization_id: organizationId, namespace: 'api-key', key: newId() });
    await verifier.verify(key);
    expect(lookups).toHaveLength(1);
    verifier.onCacheInvalidated({ organization_id: organizationId, namespace: 'api-key', key: id });
    await expect(verifier.verify(key)).rejects.toEqual(refusal('api_key_revoked'));
  });

  it('does not remember a look-up that was under way when its key was revoked', async () => {
    const { verifier, rows, gate, add } = setup();
    const { key, id, row } = add();
    let release!: () => void;
    gate.hold = new Promise((resolve) => (release = resolve));
    const early = verifier.verify(key);
    rows.set(row, { ...rows.get(row)!, revokedAt: new Date() });
    verifier.forget(id);
    release();
    await early;
    await expect(verifier.verify(key)).rejects.toEqual(refusal('api_key_revoked'));
  });
});
