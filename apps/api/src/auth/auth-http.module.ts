/** Serves `/v1/auth/…`. */
import { Module } from '@nestjs/common';
import { IdentityModule } from '#libs/identity';
import { AuthController } from './auth.controller';

@Module({ imports: [IdentityModule], controllers: [AuthController] })
export class AuthHttpModule {}
