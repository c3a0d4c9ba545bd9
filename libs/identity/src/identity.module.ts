/**
 * Users, API keys and sessions. Needs, from global modules: the tenant context, the tenant database, the directory,
 * the configuration and PlatformEvents.
 */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { Clock, SystemClock } from '#libs/kernel';
import { ApiKeyRevocation } from './api-keys/api-key-revocation.service';
import { ApiKeyService } from './api-keys/api-key.service';
import { CredentialsModule } from './credentials.module';
import { PasswordService } from './passwords/password.service';
import { LoginService } from './sessions/login.service';
import { RefreshTokenRepository } from './sessions/refresh-token.repository';
import { SessionRotation } from './sessions/session-rotation.service';
import { SessionService } from './sessions/session.service';
import { UserCreation } from './users/user-creation.service';
import { UserRepository } from './users/user.repository';
import { UserService } from './users/user.service';

@Module({
  imports: [AuditModule, CredentialsModule],
  providers: [
    { provide: Clock, useClass: SystemClock },
    ApiKeyRevocation,
    ApiKeyService,
    LoginService,
    PasswordService,
    RefreshTokenRepository,
    SessionRotation,
    SessionService,
    UserCreation,
    UserRepository,
    UserService,
  ],
  exports: [CredentialsModule, ApiKeyService, LoginService, SessionService, UserCreation, UserService],
})
export class IdentityModule {}
