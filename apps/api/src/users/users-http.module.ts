/** Serves `/v1/users`. */
import { Module } from '@nestjs/common';
import { IdentityModule } from '#libs/identity';
import { UsersController } from './users.controller';

@Module({ imports: [IdentityModule], controllers: [UsersController] })
export class UsersHttpModule {}
