/** Finds out of which tenant a link is, whoever holds it. */
import { Injectable } from '@nestjs/common';
import { type Caller, RegionGuide } from '#libs/identity';
import { SealedFileLinks, unknownLink } from '#libs/storage';
import { Directory } from '#libs/tenancy';

const NOTHING: ReadonlySet<string> = new Set();

@Injectable()
export class HolderService {
  constructor(
    private readonly directory: Directory,
    private readonly links: SealedFileLinks,
    private readonly guide: RegionGuide,
  ) {}

  /** Throws `not_found` (404) for a link that opens nothing, `file_link_expired` (403), `wrong_region` (421). */
  async identify(sealed: string): Promise<Caller> {
    const { organizationId } = this.links.open(sealed);
    const organization = await this.directory.find(organizationId);
    if (!organization) throw unknownLink();
    this.guide.requireServed(organization);
    return { organization, actor: { type: 'system', id: null }, permissions: NOTHING };
  }
}
