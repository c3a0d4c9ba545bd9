/** Finds out of which tenant a link is, whoever holds it. */
import { Injectable } from '@nestjs/common';
import type { Caller } from '#libs/identity';
import { SealedFileLinks, unknownLink } from '#libs/storage';
import { Directory } from '#libs/tenancy';

const NOTHING: ReadonlySet<string> = new Set();

@Injectable()
export class HolderService {
  constructor(
    private readonly directory: Directory,
    private readonly links: SealedFileLinks,
  ) {}

  /** Throws `not_found` (404) for a link that opens nothing, `file_link_expired` (403). */
  async identify(sealed: string): Promise<Caller> {
    const { organizationId } = this.links.open(sealed);
    const organization = await this.directory.find(organizationId);
    if (!organization) throw unknownLink();
    return { organization, actor: { type: 'system', id: null }, permissions: NOTHING };
  }
}
