/**
 * Access tokens: JWT, HS256, pinned issuer, audience and algorithm. They are not looked up: a user who is disabled
 * keeps what a token grants until it expires (ACCESS_TOKEN_TTL_SECONDS, 15 minutes by default), and gets no new one.
 */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, ConfigError } from '#libs/config';
import { Clock, isUuid, newId } from '#libs/kernel';
import { errors, jwtVerify, SignJWT } from 'jose';
import { type Role, ROLES } from '../access/permissions';
import { REGION_CLAIM, RegionProofs } from '../regions/region-proofs.service';
import { credentialError } from './credential.error';

const ALGORITHM = 'HS256';
const ISSUER = 'stockyard';
const AUDIENCE = 'stockyard-api';
const MIN_KEY_BYTES = 32;

export interface AccessClaims {
  readonly organizationId: string;
  readonly userId: string;
  readonly role: Role;
}

const isRole = (value: unknown): value is Role => ROLES.includes(value as Role);

@Injectable()
export class AccessTokenService {
  /** Life of a token in seconds. */
  readonly ttlSeconds: number;
  private readonly key: Uint8Array;

  constructor(
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'JWT_SECRET' | 'ACCESS_TOKEN_TTL_SECONDS' | 'NODE_ENV'>,
    private readonly clock: Clock,
    private readonly proofs: RegionProofs,
  ) {
    this.key = new TextEncoder().encode(config.JWT_SECRET);
    this.ttlSeconds = config.ACCESS_TOKEN_TTL_SECONDS;
    if (config.NODE_ENV === 'production' && this.key.length < MIN_KEY_BYTES) {
      throw new ConfigError([`JWT_SECRET must hold at least ${MIN_KEY_BYTES} bytes for NODE_ENV=production.`]);
    }
  }

  sign({ organizationId, userId, role }: AccessClaims): Promise<string> {
    const nowSeconds = Math.floor(this.clock.nowMs() / 1000);
    const tokenId = newId();
    const proof = this.proofs.newClaim({ organizationId, userId, tokenId });
    return new SignJWT({ org: organizationId, role, ...(proof !== undefined && { [REGION_CLAIM]: proof }) })
      .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
      .setSubject(userId)
      .setJti(tokenId)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + this.ttlSeconds)
      .sign(this.key);
  }

  /** The claims of a token that we signed. Throws `token_expired` or, for any other fault, `invalid_token` (401). */
  async verify(token: string): Promise<AccessClaims> {
    try {
      const { payload } = await jwtVerify(token, this.key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'jti', 'iat', 'exp'],
        currentDate: this.clock.now(),
      });
      const { org, sub, role } = payload;
      if (isUuid(org) && isUuid(sub) && isRole(role)) return { organizationId: org, userId: sub, role };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw credentialError('token_expired');
      if (!(error instanceof errors.JOSEError)) throw error;
    }
    throw credentialError('invalid_token');
  }
}
