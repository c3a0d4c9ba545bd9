/** The API keys of the current tenant: making, listing, revoking. A key never holds more than whoever makes it. */
import { Injectable } from '@nestjs/common';
import { type AuditData, AuditService } from '#libs/audit';
import { TenantDatabase } from '#libs/database';
import { Clock, decodeCursor, isUuid, newId, StockyardError } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { grantedPermissions, refuseBeyondCaller } from '../access/grants';
import { type Permission, ROLE_PERMISSIONS, type Role } from '../access/permissions';
import { notFound } from '../identity.error';
import { RegionProofs } from '../regions/region-proofs.service';
import { encodeToken, secretHash } from '../tokens/opaque-token';
import { ApiKeyRevocation } from './api-key-revocation.service';
import type { ApiKey } from './api-key.entity';
import { ApiKeyRepository } from './api-key.repository';

export interface ApiKeyRequest {
  readonly name: string;
  readonly role: Role;
  /** Narrows the key to these; all of the role's permissions without them. */
  readonly scopes?: readonly Permission[] | undefined;
  readonly expiresAt?: Date | undefined;
}

/** A key as it is listed: everything but the secret. */
export type ApiKeyView = Omit<ApiKey, 'organizationId' | 'secretHash'>;

const HINT_CHARS = 4;

function auditData({
  name,
  role,
  scopes,
  expiresAt,
}: Pick<ApiKey, 'name' | 'role' | 'scopes' | 'expiresAt'>): AuditData {
  return { name, role, scopes, expires_at: expiresAt?.toISOString() ?? null };
}

@Injectable()
export class ApiKeyService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenant: TenantContextHolder,
    private readonly repository: ApiKeyRepository,
    private readonly audit: AuditService,
    private readonly revocation: ApiKeyRevocation,
    private readonly clock: Clock,
    private readonly proofs: RegionProofs,
  ) {}

  /** Makes a key. Its text is in the answer and nowhere else, so it can be shown once. */
  async create(request: ApiKeyRequest): Promise<{ readonly key: string; readonly apiKey: ApiKeyView }> {
    const { organizationId, actor, permissions } = this.tenant.current();
    const scopes = this.checkedScopes(request);
    refuseBeyondCaller(grantedPermissions(request.role, scopes), permissions);
    this.refusePast(request.expiresAt);
    const id = newId();
    const secret = this.proofs.newSecret('sk_', { organizationId, id });
    const key = encodeToken('sk_', { organizationId, id, secret });
    const shown = {
      id,
      name: request.name,
      hint: key.slice(-HINT_CHARS),
      role: request.role,
      scopes,
      expiresAt: request.expiresAt ?? null,
      createdBy: actor.id,
      createdAt: this.clock.now(),
    };
    await this.database.batch([
      this.repository.insertStatement({ ...shown, secretHash: secretHash(secret) }),
      this.audit.statement({ action: 'api_key.created', targetType: 'api_key', targetId: id, data: auditData(shown) }),
    ]);
    return { key, apiKey: { ...shown, revokedAt: null, lastUsedAt: null } };
  }

  /** A page of keys, oldest first, and one more where there are more. */
  list({ cursor, limit }: { readonly cursor?: string; readonly limit: number }): Promise<ApiKeyView[]> {
    const after = cursor === undefined ? null : decodeCursor(cursor, [isUuid])[0]!;
    return this.repository.page(after, limit + 1);
  }

  async get(id: string): Promise<ApiKeyView> {
    const key = await this.repository.find(id);
    if (!key) throw notFound('API key');
    return key;
  }

  /** Revokes a key for good. Doing it again changes nothing. */
  async revoke(id: string): Promise<void> {
    await this.database.write(async (manager) => {
      const revoked = await this.repository.revokeIn(manager, id);
      if (revoked) {
        await this.audit.append(manager, { action: 'api_key.revoked', targetType: 'api_key', targetId: id });
      } else if (!(await this.repository.findIn(manager, id))) {
        throw notFound('API key');
      }
    });
    this.revocation.announce(this.tenant.current().organizationId, id);
  }

  private checkedScopes({ role, scopes }: ApiKeyRequest): Permission[] | null {
    if (scopes === undefined) return null;
    const foreign = scopes.find((scope) => !ROLE_PERMISSIONS[role].has(scope));
    if (foreign === undefined) return [...new Set(scopes)];
    throw new StockyardError({
      code: 'scope_not_in_role',
      category: 'unprocessable',
      param: 'scopes',
      message: `The role ${role} does not hold ${foreign}; drop the scope or choose another role.`,
    });
  }

  private refusePast(expiresAt: Date | undefined): void {
    if (expiresAt === undefined || expiresAt.getTime() > this.clock.nowMs()) return;
    throw new StockyardError({
      code: 'expiry_in_past',
      category: 'unprocessable',
      param: 'expires_at',
      message: 'expires_at must lie in the future.',
    });
  }
}
