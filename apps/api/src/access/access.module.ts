/**
 * The guards of the api. The app registers them globally, in this order and with the rate limits between them:
 * `{ provide: APP_GUARD, useExisting: AuthenticationGuard }`, …, `{ provide: APP_GUARD, useExisting: PermissionGuard }`.
 */
import { Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { IdentityModule } from '#libs/identity';
import { AuthenticationGuard } from './authentication.guard';
import { CallerService } from './caller.service';
import { ConsistencyInterceptor } from './consistency.interceptor';
import { ConsistencyService } from './consistency.service';
import { PermissionGuard } from './permission.guard';

@Module({
  imports: [IdentityModule],
  providers: [
    CallerService,
    ConsistencyService,
    AuthenticationGuard,
    PermissionGuard,
    { provide: APP_INTERCEPTOR, useClass: ConsistencyInterceptor },
  ],
  exports: [AuthenticationGuard, PermissionGuard, CallerService],
})
export class AccessModule {}
