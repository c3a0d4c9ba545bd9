/**
 * Logging in with organization, e-mail and password. Whatever is wrong, the answer is the same `invalid_credentials`
 * after the same work: a password is hashed for an unknown organization or user too, and for one of another region.
 */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { type TenantContext, TenantContextHolder } from '#libs/tenancy';
import { systemContext } from '../access/system-context';
import { PasswordService } from '../passwords/password.service';
import { RegionGuide } from '../regions/region-guide.service';
import { credentialError } from '../tokens/credential.error';
import { type UserCredential, UserRepository } from '../users/user.repository';
import { SessionService, type SessionTokens } from './session.service';

export interface LoginRequest {
  /** Slug of the organization. */
  readonly organization: string;
  readonly email: string;
  readonly password: string;
}

@Injectable()
export class LoginService {
  constructor(
    private readonly guide: RegionGuide,
    private readonly tenant: TenantContextHolder,
    private readonly users: UserRepository,
    private readonly passwords: PasswordService,
    private readonly sessions: SessionService,
    private readonly audit: AuditService,
  ) {}

  /** Throws `invalid_credentials` (401). */
  async login(request: LoginRequest, requestId: string): Promise<SessionTokens> {
    const organization = await this.guide.findHere(request.organization);
    if (!organization) {
      await this.passwords.verify(request.password, undefined);
      throw credentialError('invalid_credentials');
    }
    const context = systemContext(organization.id, requestId);
    return this.tenant.run(context, () => this.loginTo(context, request));
  }

  private async loginTo(context: TenantContext, { email, password }: LoginRequest): Promise<SessionTokens> {
    const user = await this.users.credential(email.toLowerCase());
    const proven = await this.passwords.verify(password, user?.passwordHash);
    const session =
      proven && user?.state === 'active'
        ? await this.tenant.run({ ...context, actor: { type: 'user', id: user.id } }, () => this.sessions.open(user))
        : undefined;
    if (session) return session;
    await this.recordFailure(user);
    throw credentialError('invalid_credentials');
  }

  /** What was typed as an e-mail address is not kept: it may be a password in the wrong field. */
  private recordFailure(user: UserCredential | undefined): Promise<void> {
    return this.audit.record({ action: 'session.login_failed', targetType: 'user', targetId: user?.id ?? null });
  }
}
