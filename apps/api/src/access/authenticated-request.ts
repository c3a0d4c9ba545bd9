/** What authentication leaves on the HTTP request for guards that run before the tenant's data is touched. */
import type { Actor, Tier } from '#libs/tenancy';

export interface RequestTenant {
  readonly organizationId: string;
  readonly tier: Tier;
  readonly actor: Actor;
}

export interface AuthenticatedRequest {
  readonly id: string;
  readonly method: string;
  /** Of the route; a link is one of them. */
  readonly params?: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Set for callers of a tenant; absent for operators and public routes. */
  tenant?: RequestTenant;
}
