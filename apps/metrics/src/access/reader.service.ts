/** Finds out who reads the dashboard: by the operators' token, or by a credential of a tenant that holds what is asked of it. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { CallerService, permissionDenied, type Permission } from '#libs/identity';
import { constantTimeEqual } from '#libs/kernel';
import type { Reader } from './reader';

export const READ_PERMISSION: Permission = 'usage:read';

@Injectable()
export class ReaderService {
  constructor(
    private readonly callers: CallerService,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'ADMIN_TOKEN'>,
  ) {}

  /** Throws a credential error (401) and `permission_denied` (403). */
  async identify(credential: string, permission: Permission | null): Promise<Reader> {
    if (constantTimeEqual(credential, this.config.ADMIN_TOKEN)) return { kind: 'operator' };
    const { organization, permissions } = await this.callers.identify(credential);
    if (permission !== null && !permissions.has(permission)) throw permissionDenied(permission);
    return { kind: 'tenant', organization };
  }
}
