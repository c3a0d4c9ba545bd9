/**
 * The guards of the api. The app registers them globally, in this order and with the rate limits between them:
 * `{ provide: APP_GUARD, useExisting: AuthenticationGuard }`, …, `{ provide: APP_GUARD, useExisting: PermissionGuard }`.
 */
import { Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { CredentialsModule, IdentityModule } from '#libs/identity';
import { AuthenticationGuard } from './authentication.guard';
import { ConsistencyInterceptor } from './consistency.interceptor';
import { ConsistencyService } from './consistency.service';
import { HolderService } from './holder.service';
import { PermissionGuard } from './permission.guard';

@Module({
  imports: [IdentityModule, CredentialsModule],
  providers: [
    HolderService,
    ConsistencyService,
    AuthenticationGuard,
    PermissionGuard,
    { provide: APP_INTERCEPTOR, useClass: ConsistencyInterceptor },
  ],
  exports: [AuthenticationGuard, PermissionGuard, CredentialsModule],
})
export class AccessModule {}
