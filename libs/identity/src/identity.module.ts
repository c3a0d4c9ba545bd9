/**
 * Users, API keys and sessions. Needs, from global modules: the tenant context, the tenant database, the directory,
 * the configuration and PlatformEvents.
 */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { Clock, SystemClock } from '#libs/kernel';
import { ApiKeyRevocation } from './api-keys/api-key-revocation.service';
import { ApiKeyUsage } from './api-keys/api-key-usage.service';
import { ApiKeyVerifier } from './api-keys/api-key-verifier.service';
import { ApiKeyListener } from './api-keys/api-key.listener';
import { ApiKeyRepository } from './api-keys/api-key.repository';
import { ApiKeyService } from './api-keys/api-key.service';
import { PasswordService } from './passwords/password.service';
import { LoginService } from './sessions/login.service';
import { RefreshTokenRepository } from './sessions/refresh-token.repository';
import { SessionRotation } from './sessions/session-rotation.service';
import { SessionService } from './sessions/session.service';
import { AccessTokenService } from './tokens/access-token.service';
import { UserCreation } from './users/user-creation.service';
import { UserRepository } from './users/user.repository';
import { UserService } from './users/user.service';

@Module({
  imports: [AuditModule],
  controllers: [ApiKeyListener],
  providers: [
    { provide: Clock, useClass: SystemClock },
    AccessTokenService,
    ApiKeyRepository,
    ApiKeyRevocation,
    ApiKeyService,
    ApiKeyUsage,
    ApiKeyVerifier,
    LoginService,
    PasswordService,
    RefreshTokenRepository,
    SessionRotation,
    SessionService,
    UserCreation,
    UserRepository,
    UserService,
  ],
  exports: [AccessTokenService, ApiKeyService, ApiKeyVerifier, LoginService, SessionService, UserCreation, UserService],
})
export class IdentityModule {}
