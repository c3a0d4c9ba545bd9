/** Finds out for which tenant, as whom and with which permissions a credential speaks. */
import { Injectable } from '@nestjs/common';
import { Directory, type Organization, type TenantContext } from '#libs/tenancy';
import { ApiKeyVerifier } from '../api-keys/api-key-verifier.service';
import { RegionGuide } from '../regions/region-guide.service';
import { AccessTokenService } from '../tokens/access-token.service';
import { credentialError } from '../tokens/credential.error';
import { ROLE_PERMISSIONS } from './permissions';

export interface Caller {
  readonly organization: Organization;
  readonly actor: TenantContext['actor'];
  readonly permissions: ReadonlySet<string>;
}

type Identified = Omit<Caller, 'organization'> & { readonly organizationId: string };

const API_KEY_PREFIX = 'sk_';

@Injectable()
export class CallerService {
  constructor(
    private readonly apiKeys: ApiKeyVerifier,
    private readonly accessTokens: AccessTokenService,
    private readonly directory: Directory,
    private readonly guide: RegionGuide,
  ) {}

  /** Throws a credential error (401); `invalid_token` too for an organization that is gone; `wrong_region` (421). */
  async identify(credential: string): Promise<Caller> {
    await this.guide.requireHere(credential);
    const { organizationId, actor, permissions } = credential.startsWith(API_KEY_PREFIX)
      ? await this.byApiKey(credential)
      : await this.byAccessToken(credential);
    const organization = await this.directory.find(organizationId);
    if (!organization) throw credentialError('invalid_token');
    this.guide.requireServed(organization);
    return { organization, actor, permissions };
  }

  private async byApiKey(credential: string): Promise<Identified> {
    const { organizationId, id, permissions } = await this.apiKeys.verify(credential);
    return { organizationId, permissions, actor: { type: 'api_key', id } };
  }

  private async byAccessToken(credential: string): Promise<Identified> {
    const { organizationId, userId, role } = await this.accessTokens.verify(credential);
    return { organizationId, permissions: ROLE_PERMISSIONS[role], actor: { type: 'user', id: userId } };
  }
}
