/** Serves `/v1/api_keys`. */
import { Module } from '@nestjs/common';
import { IdentityModule } from '#libs/identity';
import { ApiKeysController } from './api-keys.controller';

@Module({ imports: [IdentityModule], controllers: [ApiKeysController] })
export class ApiKeysHttpModule {}
