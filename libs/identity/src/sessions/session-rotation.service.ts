/**
 * Sessions: an access token and a refresh token that is good for one use and is answered with its successor.
 *
 * State of a refresh token: issued → used (its successor was issued) → gone once expired; issued or used → revoked
 * with its whole family: at logout, when a used one comes again (someone copied it; RFC 9700, section 4.14.2), when
 * the password changes or the user is disabled.
 *
 * Everything that opens, rotates or ends sessions of a user holds the lock of the user's row, so no successor
 * can be issued beside a revocation and outlive it.
 */
import { Inject, Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { Clock, constantTimeEqual, newId } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import type { EntityManager } from 'typeorm';
import { RegionProofs } from '../regions/region-proofs.service';
import { encodeToken, type OpaqueToken, secretHash } from '../tokens/opaque-token';
import type { User } from '../users/user.entity';
import { UserRepository } from '../users/user.repository';
import type { RefreshToken } from './refresh-token.entity';
import { RefreshTokenRepository } from './refresh-token.repository';

/** How a rotation ended. A refusal is an answer, not an error: what it revoked has to be committed. */
export type Rotation =
  | { readonly kind: 'rotated'; readonly refreshToken: string; readonly user: User }
  | { readonly kind: 'unknown' | 'expired' | 'revoked' | 'reused' };

@Injectable()
export class SessionRotation {
  constructor(
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REFRESH_TOKEN_TTL_SECONDS'>,
    private readonly tenant: TenantContextHolder,
    private readonly users: UserRepository,
    private readonly tokens: RefreshTokenRepository,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly proofs: RegionProofs,
  ) {}

  /** Begins a family for a user whose row is locked; returns the refresh token. */
  async open(manager: EntityManager, userId: string): Promise<string> {
    await this.tokens.dropExpired(manager, userId, this.clock.now());
    return this.issue(manager, userId, newId());
  }

  async rotate(manager: EntityManager, presented: OpaqueToken): Promise<Rotation> {
    const found = await this.lockProven(manager, presented);
    if (!found) return { kind: 'unknown' };
    const { token, user } = found;
    if (user.state !== 'active') {
      await this.tokens.revokeUser(manager, user.id);
      return { kind: 'revoked' };
    }
    if (!(await this.tokens.markUsed(manager, token.id, this.clock.now()))) return this.refuse(manager, token.id);
    return { kind: 'rotated', refreshToken: await this.issue(manager, user.id, token.familyId), user };
  }

  /** Ends the session that a token belongs to, used or expired as it may be. */
  async end(manager: EntityManager, presented: OpaqueToken): Promise<void> {
    const found = await this.lockProven(manager, presented);
    if (found) await this.tokens.revokeFamily(manager, found.token.familyId);
  }

  /** The token and its user, locked, when the secret is right. What the token's row says may be older than the lock. */
  private async lockProven(
    manager: EntityManager,
    presented: OpaqueToken,
  ): Promise<{ token: RefreshToken; user: User } | undefined> {
    const token = await this.tokens.find(manager, presented.id);
    if (!token || !constantTimeEqual(token.tokenHash, secretHash(presented.secret))) return undefined;
    const user = await this.users.lock(manager, token.userId);
    return user ? { token, user } : undefined;
  }

  private async refuse(manager: EntityManager, tokenId: string): Promise<Rotation> {
    const token = await this.tokens.find(manager, tokenId);
    if (!token) return { kind: 'unknown' };
    if (token.usedAt !== null) {
      await this.tokens.revokeFamily(manager, token.familyId);
      const entry = { action: 'session.reuse_detected', targetType: 'user', targetId: token.userId };
      await this.audit.append(manager, entry);
      return { kind: 'reused' };
    }
    return { kind: token.revokedAt === null ? 'expired' : 'revoked' };
  }

  private async issue(manager: EntityManager, userId: string, familyId: string): Promise<string> {
    const { organizationId } = this.tenant.current();
    const id = newId();
    const secret = this.proofs.newSecret('rt_', { organizationId, id });
    const expiresAt = new Date(this.clock.nowMs() + this.config.REFRESH_TOKEN_TTL_SECONDS * 1000);
    await this.tokens.insert(manager, { id, userId, familyId, tokenHash: secretHash(secret), expiresAt });
    return encodeToken('rt_', { organizationId, id, secret });
  }
}
