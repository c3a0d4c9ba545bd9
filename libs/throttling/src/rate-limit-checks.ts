/** Which checks a request must pass: policies from tier and overrides of its organization, keys from who it is. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { sha256Hex } from '#libs/kernel';
import { redisKey } from '#libs/redis';
import { Directory, type Limits, type Organization, TIER_LIMITS } from '#libs/tenancy';
import { type Check, POLICIES, type PolicyName, SESSION_LIMITS } from './policy';

/** Those with a limit of the organization's. */
export type TenantPolicy = Exclude<PolicyName, 'session'>;

const LIMIT_OF: Readonly<Record<TenantPolicy, keyof Limits>> = {
  api: 'requestsPerMinute',
  api_calls_per_hour: 'apiCallsPerHour',
  auth: 'authAttemptsPer15Minutes',
  export: 'exportsPerHour',
  bulk: 'bulkPerHour',
  link: 'requestsPerMinute',
};

/** Stands for the organization in keys of `auth` and `session`: an address belongs to none, and one script needs one hash tag. */
const AUTH_TAG = 'auth';
const SLUG = /^[a-z0-9][a-z0-9-]{1,62}$/;

/** Who tries to log in, as far as the request says. */
export interface Attempt {
  /** Network address, normalized. */
  readonly address: string;
  /** Slug of the organization, as sent. */
  readonly organization?: string | undefined;
  /** E-mail address, as sent. */
  readonly email?: string | undefined;
}

/** Whose session is to go on or end, as far as the request says. */
export interface SessionUse {
  /** Network address, normalized. */
  readonly address: string;
  /** Refresh token, as sent. */
  readonly token?: string | undefined;
}

/** The checks of an organization's own counters. */
export function checksOf(
  prefix: string,
  { id, limits }: Pick<Organization, 'id' | 'limits'>,
  policies: readonly TenantPolicy[],
): Check[] {
  return policies.map((name) => ({
    policy: POLICIES[name],
    limit: limits[LIMIT_OF[name]],
    key: redisKey(prefix, 'limits', id, name),
  }));
}

@Injectable()
export class RateLimitChecks {
  constructor(
    private readonly directory: Directory,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {}

  /** For a tenant's request; none for an organization that is gone, which authentication refuses. */
  async ofTenant(organizationId: string, policies: readonly TenantPolicy[]): Promise<Check[]> {
    const organization = await this.directory.find(organizationId);
    return organization ? checksOf(this.config.REDIS_KEY_PREFIX, organization, policies) : [];
  }

  /** For an attempt to log in: the address, and the account where one is named. */
  async ofAttempt({ address, organization, email }: Attempt): Promise<Check[]> {
    const slug = organization?.trim().toLowerCase();
    const known = slug !== undefined && SLUG.test(slug) ? await this.directory.findBySlug(slug) : undefined;
    const limit = (known?.limits ?? TIER_LIMITS.free).authAttemptsPer15Minutes;
    const check = (kind: string, subject: string): Check => ({
      policy: POLICIES.auth,
      limit,
      key: this.keyOf(kind, subject),
    });
    const checks = [check('address', address)];
    if (slug !== undefined && email !== undefined) {
      checks.push(check('account', `${slug}\n${email.trim().toLowerCase()}`));
    }
    return checks;
  }

  /** For a refresh or logout: the address, and the token where one is sent. */
  ofSession({ address, token }: SessionUse): Check[] {
    const check = (kind: keyof typeof SESSION_LIMITS, subject: string): Check => ({
      policy: POLICIES.session,
      limit: SESSION_LIMITS[kind],
      key: this.keyOf(`session-${kind}`, subject),
    });
    return [check('address', address), ...(token === undefined ? [] : [check('token', token)])];
  }

  /** Of a digest: a key has one length whatever was sent, and holds nobody's address or token. */
  private keyOf(kind: string, subject: string): string {
    return redisKey(this.config.REDIS_KEY_PREFIX, 'limits', AUTH_TAG, kind, sha256Hex(subject));
  }
}
