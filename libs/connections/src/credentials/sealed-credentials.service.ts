/** Seals the secrets of connections for their rows, and opens them for a request. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { SecretBox } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { type Credentials, NO_CREDENTIALS } from './credentials';

/** What the row holds, and what may be shown of it. */
export interface Sealed {
  /** null for none. */
  readonly credentials: string | null;
  readonly keyId: string | null;
  readonly hasBearerToken: boolean;
  readonly headerNames: readonly string[];
}

@Injectable()
export class SealedCredentials {
  private readonly box: SecretBox;

  constructor(
    private readonly tenant: TenantContextHolder,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'MESSAGING_SECRET' | 'MESSAGING_SECRET_BEFORE'>,
  ) {
    const { MESSAGING_SECRET: secret, MESSAGING_SECRET_BEFORE: before } = config;
    this.box = new SecretBox({ secret, before, purpose: 'connection' });
  }

  /** Of the key that seals. */
  get keyId(): string {
    return this.box.keyId;
  }

  seal(connectionId: string, credentials: Credentials): Sealed {
    const headerNames = Object.keys(credentials.headers);
    const hasBearerToken = credentials.bearer_token !== null;
    if (!hasBearerToken && headerNames.length === 0)
      return { credentials: null, keyId: null, hasBearerToken, headerNames };
    const sealed = this.box.seal(JSON.stringify(credentials), this.place(connectionId));
    return { credentials: sealed, keyId: this.keyId, hasBearerToken, headerNames };
  }

  /** Throws `secret_unreadable` (422) where the platform's secret is another one now. */
  open(connectionId: string, credentials: string | null): Credentials {
    if (credentials === null) return NO_CREDENTIALS;
    return JSON.parse(this.box.open(credentials, this.place(connectionId))) as Credentials;
  }

  private place(connectionId: string): string {
    return `${this.tenant.current().organizationId}/${connectionId}`;
  }
}
