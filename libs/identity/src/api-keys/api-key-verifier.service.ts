/**
 * Tells who holds an API key. What a look-up found is remembered for 5 s under the digest of the whole key, so a
 * busy key costs one statement in that time; expiry is compared at each use. Revoking forgets at once in this process
 * and, by the hint `cache.invalidated`, in the others; a process that missed the hint is 5 s late at most.
 */
import { Injectable } from '@nestjs/common';
import { isOrganizationUnknown } from '#libs/database';
import { Clock, constantTimeEqual, sha256Hex } from '#libs/kernel';
import type { EventPayloads } from '#libs/messaging';
import { isWrongRegion, TenantContextHolder } from '#libs/tenancy';
import { LRUCache } from 'lru-cache';
import { grantedPermissions } from '../access/grants';
import type { Permission } from '../access/permissions';
import { systemContext } from '../access/system-context';
import { credentialError } from '../tokens/credential.error';
import { decodeToken, secretHash } from '../tokens/opaque-token';
import { ApiKeyUsage } from './api-key-usage.service';
import { ApiKeyRepository } from './api-key.repository';

/** Namespace of the hint that says a key was revoked; its `key` is the key's id. */
export const API_KEY_NAMESPACE = 'api-key';

const REMEMBER_MS = 5_000;
const REMEMBERED = 10_000;

export interface VerifiedApiKey {
  readonly organizationId: string;
  readonly id: string;
  readonly permissions: ReadonlySet<Permission>;
}

interface KnownKey extends VerifiedApiKey {
  readonly revoked: boolean;
  readonly expiresAtMs: number;
}

@Injectable()
export class ApiKeyVerifier {
  private readonly known = new LRUCache<string, KnownKey>({ max: REMEMBERED, ttl: REMEMBER_MS });
  /** Apart from the valid ones, so that a flood of guesses cannot push those out. */
  private readonly unknown = new LRUCache<string, true>({ max: REMEMBERED, ttl: REMEMBER_MS });
  private readonly loading = new Map<string, Promise<KnownKey | undefined>>();
  /** Rises whenever something is forgotten: a look-up that began before may not be remembered. */
  private generation = 0;

  constructor(
    private readonly repository: ApiKeyRepository,
    private readonly usage: ApiKeyUsage,
    private readonly tenant: TenantContextHolder,
    private readonly clock: Clock,
  ) {}

  /** Throws `invalid_token`, `api_key_revoked` or `api_key_expired` (401). */
  async verify(text: string): Promise<VerifiedApiKey> {
    const digest = sha256Hex(text);
    const key = this.unknown.has(digest) ? undefined : (this.known.get(digest) ?? (await this.load(digest, text)));
    if (!key) throw credentialError('invalid_token');
    if (key.revoked) throw credentialError('api_key_revoked');
    if (key.expiresAtMs <= this.clock.nowMs()) throw credentialError('api_key_expired');
    this.usage.touch(key.organizationId, key.id);
    return key;
  }

  /** Forgets a key in this process. */
  forget(keyId: string): void {
    this.generation += 1;
    this.loading.clear();
    for (const [digest, key] of this.known.entries()) if (key.id === keyId) this.known.delete(digest);
  }

  /** What to do at the hint `cache.invalidated`. */
  onCacheInvalidated(hint: EventPayloads['cache.invalidated']): void {
    if (hint.namespace === API_KEY_NAMESPACE) this.forget(hint.key);
  }

  /** One look-up at a time for each key. */
  private load(digest: string, text: string): Promise<KnownKey | undefined> {
    const running = this.loading.get(digest);
    if (running) return running;
    const { generation } = this;
    const started = this.read(text)
      .then((key) => {
        if (key === undefined) this.unknown.set(digest, true);
        else if (generation === this.generation) this.known.set(digest, key);
        return key;
      })
      .finally(() => {
        if (this.loading.get(digest) === started) this.loading.delete(digest);
      });
    this.loading.set(digest, started);
    return started;
  }

  /** An organization that does not exist has no keys, nor has one of another region here: who can prove more was sent there before. */
  private async credential(id: string) {
    try {
      return await this.repository.credential(id);
    } catch (error) {
      if (isOrganizationUnknown(error) || isWrongRegion(error)) return undefined;
      throw error;
    }
  }

  private async read(text: string): Promise<KnownKey | undefined> {
    const token = decodeToken('sk_', text);
    if (!token) return undefined;
    const { organizationId, id, secret } = token;
    const context = systemContext(organizationId, 'authentication');
    const row = await this.tenant.run(context, () => this.credential(id));
    if (!row || !constantTimeEqual(row.secretHash, secretHash(secret))) return undefined;
    return {
      organizationId,
      id,
      permissions: grantedPermissions(row.role, row.scopes),
      revoked: row.revokedAt !== null,
      expiresAtMs: row.expiresAt?.getTime() ?? Infinity,
    };
  }
}
