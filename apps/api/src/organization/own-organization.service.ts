/** The organization of the current caller, out of the directory. */
import { Injectable } from '@nestjs/common';
import { credentialError } from '#libs/identity';
import { Directory, type Organization, type TenantContext, TenantContextHolder } from '#libs/tenancy';

@Injectable()
export class OwnOrganizationService {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly directory: Directory,
  ) {}

  /** Throws `invalid_token` (401) when the organization went away since the caller was authenticated. */
  async current(): Promise<{ organization: Organization; caller: TenantContext }> {
    const caller = this.tenant.current();
    const organization = await this.directory.find(caller.organizationId);
    if (!organization) throw credentialError('invalid_token');
    return { organization, caller };
  }
}
