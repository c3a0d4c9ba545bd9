/** Permissions, declared on handlers, and the roles that hold them. */

export const PERMISSIONS = [
  'organization:read',
  'usage:read',
  'audit:read',
  'users:read',
  'users:write',
  'keys:read',
  'keys:write',
  'catalog:read',
  'catalog:write',
  'stock:read',
  'stock:write',
  'orders:read',
  'orders:write',
  'jobs:read',
  'jobs:write',
  'connections:read',
  'connections:write',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

export const ROLES = ['owner', 'admin', 'operator', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

const READS = PERMISSIONS.filter((permission) => permission.endsWith(':read'));
const WORK: readonly Permission[] = ['catalog:write', 'stock:write', 'orders:write', 'jobs:write'];
/** The audit log names people and keys too. */
const NO_PEOPLE = new Set<Permission>(['users:read', 'keys:read', 'audit:read']);

/**
 * owner and admin hold everything; an operator runs the stock, and its syncs as jobs, but leaves connections with their secrets
 * as they are; a viewer looks, but not at people and keys.
 */
export const ROLE_PERMISSIONS: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  owner: new Set(PERMISSIONS),
  admin: new Set(PERMISSIONS),
  operator: new Set([...READS.filter((permission) => !NO_PEOPLE.has(permission)), ...WORK]),
  viewer: new Set(READS.filter((permission) => !NO_PEOPLE.has(permission))),
};
