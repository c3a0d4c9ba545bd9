/** The context of what the platform itself does for a tenant, before it is known who asks or when nobody does. */
import type { TenantContext } from '#libs/tenancy';

const NOTHING: ReadonlySet<string> = new Set();

export function systemContext(organizationId: string, requestId: string): TenantContext {
  return { organizationId, actor: { type: 'system', id: null }, permissions: NOTHING, requestId };
}
