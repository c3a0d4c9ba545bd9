/** What a role and an optional list of scopes add up to, and the rule that nobody hands on more than they hold. */
import { StockyardError } from '#libs/kernel';
import { type Permission, ROLE_PERMISSIONS, type Role } from './permissions';

/** The permissions of a role, narrowed to `scopes` where there are any. A scope that the role lacks adds nothing. */
export function grantedPermissions(role: Role, scopes: readonly string[] | null): ReadonlySet<Permission> {
  if (scopes === null) return ROLE_PERMISSIONS[role];
  const wanted = new Set(scopes);
  return new Set([...ROLE_PERMISSIONS[role]].filter((permission) => wanted.has(permission)));
}

/** Throws `permission_denied` (403) that names the first permission of `granted` which the caller lacks. */
export function refuseBeyondCaller(granted: ReadonlySet<Permission>, caller: ReadonlySet<string>): void {
  const missing = [...granted].find((permission) => !caller.has(permission));
  if (missing !== undefined) throw permissionDenied(missing, 'You cannot hand on, or manage, what you do not hold');
}

export function permissionDenied(
  permission: Permission,
  reason = 'Your credentials do not allow this',
): StockyardError {
  return new StockyardError({
    code: 'permission_denied',
    category: 'forbidden',
    message: `${reason}: the permission ${permission} is missing.`,
    details: { permission },
  });
}
