/** Hears that another process revoked an API key. */
import { Controller } from '@nestjs/common';
import { type EventPayloads, OnEvent } from '#libs/messaging';
import { ApiKeyVerifier } from './api-key-verifier.service';

@Controller()
export class ApiKeyListener {
  constructor(private readonly verifier: ApiKeyVerifier) {}

  @OnEvent('cache.invalidated')
  forget(hint: EventPayloads['cache.invalidated']): void {
    this.verifier.onCacheInvalidated(hint);
  }
}
