/**
 * Opens, refreshes and ends sessions. Refreshing and ending come without a tenant context: the organization is the
 * one that the refresh token names, and the work runs in a context of it.
 */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { isOrganizationUnknown, TenantDatabase } from '#libs/database';
import { isWrongRegion, TenantContextHolder } from '#libs/tenancy';
import { systemContext } from '../access/system-context';
import { RegionGuide } from '../regions/region-guide.service';
import { AccessTokenService } from '../tokens/access-token.service';
import { credentialError, type CredentialProblem } from '../tokens/credential.error';
import { decodeToken, type OpaqueToken } from '../tokens/opaque-token';
import type { User } from '../users/user.entity';
import { type UserCredential, UserRepository } from '../users/user.repository';
import { type Rotation, SessionRotation } from './session-rotation.service';

export interface SessionTokens {
  readonly accessToken: string;
  /** Life of the access token. */
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
}

const REFUSALS: Readonly<Record<Exclude<Rotation['kind'], 'rotated'>, CredentialProblem>> = {
  unknown: 'invalid_token',
  expired: 'token_expired',
  revoked: 'token_revoked',
  reused: 'refresh_token_reused',
};

@Injectable()
export class SessionService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenant: TenantContextHolder,
    private readonly users: UserRepository,
    private readonly rotation: SessionRotation,
    private readonly accessTokens: AccessTokenService,
    private readonly audit: AuditService,
    private readonly guide: RegionGuide,
  ) {}

  /**
   * Opens a session in the current tenant for a user whose password was just proven. Undefined when the user was
   * disabled, deleted or given another password since.
   */
  async open(proven: UserCredential): Promise<SessionTokens | undefined> {
    const opened = await this.database.write(async (manager) => {
      const user = await this.users.lock(manager, proven.id);
      if (user?.state !== 'active' || user.passwordHash !== proven.passwordHash) return undefined;
      const refreshToken = await this.rotation.open(manager, user.id);
      await this.audit.append(manager, { action: 'session.opened', targetType: 'user', targetId: user.id });
      return { refreshToken, user };
    });
    return opened && this.tokens(opened.user, opened.refreshToken);
  }

  /** Throws `invalid_token`, `token_expired`, `token_revoked` or `refresh_token_reused` (401), `wrong_region` (421). */
  async refresh(refreshToken: string, requestId: string): Promise<SessionTokens> {
    const presented = decodeToken('rt_', refreshToken);
    if (!presented) throw credentialError('invalid_token');
    await this.guide.requireHere(refreshToken);
    return this.asTenantOf(presented, requestId, async () => {
      const rotation = await this.database.write((manager) => this.rotation.rotate(manager, presented));
      if (rotation.kind !== 'rotated') throw credentialError(REFUSALS[rotation.kind]);
      return this.tokens(rotation.user, rotation.refreshToken);
    });
  }

  /** Ends the session of a refresh token. One that is unknown has no session, so there is nothing to refuse. Throws `wrong_region` (421). */
  async end(refreshToken: string, requestId: string): Promise<void> {
    const presented = decodeToken('rt_', refreshToken);
    if (!presented) return;
    await this.guide.requireHere(refreshToken);
    await this.tenant
      .run(systemContext(presented.organizationId, requestId), () =>
        this.database.write((manager) => this.rotation.end(manager, presented)),
      )
      .catch((error: unknown) => {
        if (!isNotHere(error)) throw error;
      });
  }

  /** Throws `invalid_token` (401) for a token of an organization that does not exist. */
  private async asTenantOf<T>(token: OpaqueToken, requestId: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.tenant.run(systemContext(token.organizationId, requestId), work);
    } catch (error) {
      throw isNotHere(error) ? credentialError('invalid_token') : error;
    }
  }

  private async tokens({ id, role, organizationId }: User, refreshToken: string): Promise<SessionTokens> {
    const accessToken = await this.accessTokens.sign({ organizationId, userId: id, role });
    return { accessToken, expiresInSeconds: this.accessTokens.ttlSeconds, refreshToken };
  }
}

/** Who could prove a session of another region was sent there before. */
function isNotHere(error: unknown): boolean {
  return isOrganizationUnknown(error) || isWrongRegion(error);
}
