/** Names further policies of a handler or controller; `api` and `api_calls_per_hour` hold for every request of a tenant without
 * being named. */
import { SetMetadata } from '@nestjs/common';
import type { PolicyName } from './policy';

export const RATE_LIMIT_KEY = 'stockyard:rate-limit';

/** Policies that a handler may name. */
export type NamedPolicy = Exclude<PolicyName, 'api' | 'api_calls_per_hour' | 'link'>;

/** `@RateLimit('export')`. `auth` is for public handlers that take a password, `session` for those that take a refresh token. */
export const RateLimit = (...policies: readonly NamedPolicy[]) =>
  SetMetadata<string, readonly NamedPolicy[]>(RATE_LIMIT_KEY, policies);
