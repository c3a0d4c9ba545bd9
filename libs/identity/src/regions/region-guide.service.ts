/**
 * Sends whoever holds a credential of an organization of another region there, before anything of the tenant is asked, counted
 * or written here. Who has no proof learns nothing: it goes on as it came, and is refused as for an organization that is unknown.
 */
import { Inject, Injectable, Optional } from '@nestjs/common';
import { APP_CONFIG } from '#libs/config';
import { isUuid, type StockyardError } from '#libs/kernel';
import { MetricsRegistry } from '#libs/observability';
import { Directory, type Organization, type RegionConfig, Regions } from '#libs/tenancy';
import { decodeJwt } from 'jose';
import { decodeToken, type TokenPrefix } from '../tokens/opaque-token';
import { REGION_CLAIM, RegionProofs } from './region-proofs.service';

interface Proven {
  readonly organizationId: string;
  readonly madeIn: string;
}

@Injectable()
export class RegionGuide {
  private readonly regions: Regions;
  private readonly sent = new Map<string, number>();

  constructor(
    private readonly directory: Directory,
    private readonly proofs: RegionProofs,
    @Inject(APP_CONFIG) config: RegionConfig,
    @Optional() metrics?: MetricsRegistry,
  ) {
    this.regions = new Regions(config);
    metrics?.counter({
      name: 'stockyard_wrong_region_total',
      help: 'Requests with a credential of an organization of another region that were sent there (421), by that region.',
      labels: ['region'],
      read: () => [...this.sent].map(([region, value]) => ({ labels: { region }, value })),
    });
  }

  /** Throws `wrong_region` (421) for a credential that is proven to be of an organization of another region. */
  async requireHere(credential: string): Promise<void> {
    if (!this.regions.several) return;
    const proven = this.provenBy(credential);
    if (!proven) return;
    const found = await this.directory.whereabouts(proven.organizationId);
    const region = found.organization ? this.regions.of(found.organization) : (found.movedTo ?? proven.madeIn);
    if (region !== this.regions.own) throw this.sendTo(region);
  }

  /** The same for who has proved otherwise that the organization is theirs. */
  requireServed(organization: Organization): void {
    if (!this.regions.serves(organization)) throw this.sendTo(this.regions.of(organization));
  }

  /** The organization of a slug, if it lives here. Elsewhere a password cannot be checked, so nothing is told. */
  async findHere(slug: string): Promise<Organization | undefined> {
    const organization = await this.directory.findBySlug(slug);
    return organization && this.regions.serves(organization) ? organization : undefined;
  }

  private provenBy(credential: string): Proven | undefined {
    for (const prefix of ['sk_', 'rt_'] satisfies TokenPrefix[])
      if (credential.startsWith(prefix)) return this.provenByToken(prefix, credential);
    return this.provenByClaim(credential);
  }

  private provenByToken(prefix: TokenPrefix, credential: string): Proven | undefined {
    const token = decodeToken(prefix, credential);
    const madeIn = token && this.proofs.madeIn(prefix, token);
    return madeIn === undefined ? undefined : { organizationId: token!.organizationId, madeIn };
  }

  /** Of an access token, whose signature only its own region can check. */
  private provenByClaim(credential: string): Proven | undefined {
    let claims: Record<string, unknown>;
    try {
      claims = decodeJwt(credential);
    } catch {
      return undefined;
    }
    const { org: organizationId, sub: userId, jti: tokenId, [REGION_CLAIM]: proof } = claims;
    if (!isUuid(organizationId) || !isUuid(userId) || typeof tokenId !== 'string' || typeof proof !== 'string')
      return undefined;
    const madeIn = this.proofs.claimedIn({ organizationId, userId, tokenId }, proof);
    return madeIn === undefined ? undefined : { organizationId, madeIn };
  }

  private sendTo(region: string): StockyardError {
    this.sent.set(region, (this.sent.get(region) ?? 0) + 1);
    return this.regions.refusal(region);
  }
}
