/** Tells who holds a credential, and nothing else of identity: all that a process needs which only reads. As IdentityModule needs it. */
import { Module } from '@nestjs/common';
import { Clock, SystemClock } from '#libs/kernel';
import { CallerService } from './access/caller.service';
import { ApiKeyUsage } from './api-keys/api-key-usage.service';
import { ApiKeyVerifier } from './api-keys/api-key-verifier.service';
import { ApiKeyListener } from './api-keys/api-key.listener';
import { ApiKeyRepository } from './api-keys/api-key.repository';
import { RegionGuide } from './regions/region-guide.service';
import { RegionProofs } from './regions/region-proofs.service';
import { AccessTokenService } from './tokens/access-token.service';

@Module({
  controllers: [ApiKeyListener],
  providers: [
    { provide: Clock, useClass: SystemClock },
    AccessTokenService,
    ApiKeyRepository,
    ApiKeyUsage,
    ApiKeyVerifier,
    CallerService,
    RegionGuide,
    RegionProofs,
  ],
  exports: [AccessTokenService, ApiKeyRepository, ApiKeyVerifier, CallerService, RegionGuide, RegionProofs],
})
export class CredentialsModule {}
