/** What a handler asks of its caller. A handler that declares nothing is refused to everyone. */
import { SetMetadata } from '@nestjs/common';
import type { Permission } from './permissions';

export const ACCESS_KEY = 'stockyard:access';

export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'operators' }
  | { readonly kind: 'link' }
  | { readonly kind: 'tenant'; readonly permission: Permission | null };

/** Anyone may call; there is no tenant context. */
export const Public = () => SetMetadata<string, Access>(ACCESS_KEY, { kind: 'public' });

/** Operators of the platform, with the admin token; there is no tenant context. */
export const Operators = () => SetMetadata<string, Access>(ACCESS_KEY, { kind: 'operators' });

/** Whoever holds a link that the platform sealed: its `:sealed` names the tenant, and the handler serves what it names. */
export const LinkHolders = () => SetMetadata<string, Access>(ACCESS_KEY, { kind: 'link' });

/** A tenant's user or API key that holds the permission. */
export const RequirePermission = (permission: Permission) =>
  SetMetadata<string, Access>(ACCESS_KEY, { kind: 'tenant', permission });

/** Any authenticated caller of a tenant. */
export const AnyTenantCaller = () => SetMetadata<string, Access>(ACCESS_KEY, { kind: 'tenant', permission: null });
