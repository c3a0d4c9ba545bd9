/** The SQL of `refresh_tokens`. Every write happens under the lock of the user's row; see session-rotation.service.ts. */
import { Injectable } from '@nestjs/common';
import { TenantContextHolder } from '#libs/tenancy';
import { type EntityManager, IsNull, LessThan, MoreThan } from 'typeorm';
import { RefreshToken } from './refresh-token.entity';

export type NewRefreshToken = Pick<RefreshToken, 'id' | 'userId' | 'familyId' | 'tokenHash' | 'expiresAt'>;

@Injectable()
export class RefreshTokenRepository {
  constructor(private readonly tenant: TenantContextHolder) {}

  private get organizationId(): string {
    return this.tenant.current().organizationId;
  }

  find(manager: EntityManager, id: string): Promise<RefreshToken | null> {
    return manager.getRepository(RefreshToken).findOneBy({ organizationId: this.organizationId, id });
  }

  async insert(manager: EntityManager, token: NewRefreshToken): Promise<void> {
    await manager.getRepository(RefreshToken).insert({ organizationId: this.organizationId, ...token });
  }

  /** Whether this call used the token; false where it was used, revoked or past its time already. */
  async markUsed(manager: EntityManager, id: string, now: Date): Promise<boolean> {
    const usable = { usedAt: IsNull(), revokedAt: IsNull(), expiresAt: MoreThan(now) };
    const result = await manager
      .getRepository(RefreshToken)
      .update({ organizationId: this.organizationId, id, ...usable }, { usedAt: () => 'now()' });
    return result.affected === 1;
  }

  revokeFamily(manager: EntityManager, familyId: string): Promise<void> {
    return this.revoke(manager, { familyId });
  }

  revokeUser(manager: EntityManager, userId: string): Promise<void> {
    return this.revoke(manager, { userId });
  }

  /** Expired tokens prove nothing any more, not even reuse. */
  async dropExpired(manager: EntityManager, userId: string, now: Date): Promise<void> {
    const { organizationId } = this;
    await manager.getRepository(RefreshToken).delete({ organizationId, userId, expiresAt: LessThan(now) });
  }

  private async revoke(manager: EntityManager, whose: { familyId: string } | { userId: string }): Promise<void> {
    await manager
      .getRepository(RefreshToken)
      .update({ organizationId: this.organizationId, revokedAt: IsNull(), ...whose }, { revokedAt: () => 'now()' });
  }
}
