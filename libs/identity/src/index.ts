/** Identity: users, API keys, tokens, and what each caller may do. */
export { PERMISSIONS, type Permission, ROLE_PERMISSIONS, type Role, ROLES } from './access/permissions';
export {
  type Access,
  ACCESS_KEY,
  AnyTenantCaller,
  Operators,
  Public,
  RequirePermission,
} from './access/access.decorators';
