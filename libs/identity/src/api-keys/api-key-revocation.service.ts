/** Makes a revocation known: at once in this process, by a hint in the others. */
import { Injectable } from '@nestjs/common';
import { PlatformEvents } from '#libs/messaging';
import { API_KEY_NAMESPACE, ApiKeyVerifier } from './api-key-verifier.service';

@Injectable()
export class ApiKeyRevocation {
  constructor(
    private readonly verifier: ApiKeyVerifier,
    private readonly events: PlatformEvents,
  ) {}

  announce(organizationId: string, keyId: string): void {
    this.verifier.forget(keyId);
    this.events.publish('cache.invalidated', {
      organization_id: organizationId,
      namespace: API_KEY_NAMESPACE,
      key: keyId,
    });
  }
}
