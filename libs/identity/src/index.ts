/** Identity: users, API keys, tokens, and what each caller may do. */
export { PERMISSIONS, type Permission, ROLE_PERMISSIONS, type Role, ROLES } from './access/permissions';
export {
  type Access,
  ACCESS_KEY,
  AnyTenantCaller,
  LinkHolders,
  Operators,
  Public,
  RequirePermission,
} from './access/access.decorators';
export { bearerToken } from './access/bearer-token';
export { type Caller, CallerService } from './access/caller.service';
export { CredentialsModule } from './credentials.module';
export { grantedPermissions, permissionDenied } from './access/grants';
export { IdentityModule } from './identity.module';
export { IDENTITY_ENTITIES } from './identity.entities';
export { PASSWORD_LENGTH } from './passwords/password.service';
export { RegionGuide } from './regions/region-guide.service';
export { AccessTokenService, type AccessClaims } from './tokens/access-token.service';
export { credentialError, type CredentialProblem } from './tokens/credential.error';
export { API_KEY_NAMESPACE, ApiKeyVerifier, type VerifiedApiKey } from './api-keys/api-key-verifier.service';
export { type ApiKeyRequest, ApiKeyService, type ApiKeyView } from './api-keys/api-key.service';
export { LoginService, type LoginRequest } from './sessions/login.service';
export { SessionService, type SessionTokens } from './sessions/session.service';
export { type NewUser, type PreparedUser, UserCreation } from './users/user-creation.service';
export { type UserPatch, UserService, type UserUpdate } from './users/user.service';
export { type User, USER_STATES, type UserState } from './users/user.entity';
