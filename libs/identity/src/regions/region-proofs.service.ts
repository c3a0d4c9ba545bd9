/**
 * Proof that a credential was made by this platform, and in which region, for a region that has no row of it: the second half of
 * a secret is an HMAC over the rest under REGIONS_SECRET, which all regions share; access tokens have one as a claim. A region
 * that finds it right tells the holder where to ask, and nothing else. The first half is 128 random bits, and the row's hash is
 * over both: who has REGIONS_SECRET cannot make a credential that opens anything.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { constantTimeEqual } from '#libs/kernel';
import { newSecret, type OpaqueToken, SECRET_BYTES, type TokenPrefix } from '../tokens/opaque-token';

/** What the proof of an access token covers: `sub`, `jti` and `org`. */
export interface ProvenClaims {
  readonly organizationId: string;
  readonly userId: string;
  readonly tokenId: string;
}

/** Claim of access tokens that proves where they were made. */
export const REGION_CLAIM = 'rgn';

const PROOF_BYTES = SECRET_BYTES / 2;

@Injectable()
export class RegionProofs {
  /** The own region first: it is the one most of the time. */
  private readonly regions: readonly string[];

  constructor(@Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REGION' | 'regions' | 'REGIONS_SECRET'>) {
    this.regions = [...new Set([config.REGION, ...Object.keys(config.regions)])];
  }

  /** The secret of a new credential; all of it random where there is no REGIONS_SECRET. */
  newSecret(prefix: TokenPrefix, { organizationId, id }: Omit<OpaqueToken, 'secret'>): Buffer {
    if (!this.canProve) return newSecret();
    const random = randomBytes(SECRET_BYTES - PROOF_BYTES);
    return Buffer.concat([
      random,
      this.proof(this.config.REGION, [prefix, organizationId, id, random.toString('hex')]),
    ]);
  }

  /** The region in which a credential was made; undefined for one without a proof that is right. */
  madeIn(prefix: TokenPrefix, { organizationId, id, secret }: OpaqueToken): string | undefined {
    const split = SECRET_BYTES - PROOF_BYTES;
    const parts = [prefix, organizationId, id, secret.subarray(0, split).toString('hex')];
    return this.regionOf(parts, secret.subarray(split));
  }

  /** The claim of a new access token; undefined where there is no REGIONS_SECRET. */
  newClaim(claims: ProvenClaims): string | undefined {
    return this.canProve ? this.proof(this.config.REGION, partsOf(claims)).toString('base64url') : undefined;
  }

  claimedIn(claims: ProvenClaims, proof: string): string | undefined {
    return this.regionOf(partsOf(claims), Buffer.from(proof, 'base64url'));
  }

  private get canProve(): boolean {
    return this.config.REGIONS_SECRET !== '';
  }

  private regionOf(parts: readonly string[], proof: Buffer): string | undefined {
    if (!this.canProve || proof.length !== PROOF_BYTES) return undefined;
    return this.regions.find((region) => constantTimeEqual(this.proof(region, parts), proof));
  }

  private proof(region: string, parts: readonly string[]): Buffer {
    const hmac = createHmac('sha256', this.config.REGIONS_SECRET).update([region, ...parts].join('\n'));
    return hmac.digest().subarray(0, PROOF_BYTES);
  }
}

function partsOf({ organizationId, userId, tokenId }: ProvenClaims): string[] {
  return ['access', organizationId, userId, tokenId];
}
