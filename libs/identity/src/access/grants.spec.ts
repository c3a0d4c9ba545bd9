import fc from 'fast-check';
import { grantedPermissions, refuseBeyondCaller } from './grants';
import { PERMISSIONS, ROLE_PERMISSIONS, ROLES } from './permissions';

const role = fc.constantFrom(...ROLES);
const permissions = fc.subarray([...PERMISSIONS]);

const denied = expect.objectContaining({ code: 'permission_denied', category: 'forbidden' }) as Error;

describe('grants', () => {
  it('are those of the role without scopes', () => {
    for (const name of ROLES) expect(grantedPermissions(name, null)).toEqual(ROLE_PERMISSIONS[name]);
  });

  it('never exceed the role nor the scopes', () => {
    fc.assert(
      fc.property(role, permissions, (name, scopes) => {
        const granted = grantedPermissions(name, scopes);
        for (const permission of PERMISSIONS) {
          expect(granted.has(permission)).toBe(ROLE_PERMISSIONS[name].has(permission) && scopes.includes(permission));
        }
      }),
    );
  });

  it('pass exactly when the caller holds all of them', () => {
    fc.assert(
      fc.property(permissions, permissions, (granted, caller) => {
        const holds = new Set<string>(caller);
        const hand = () => refuseBeyondCaller(new Set(granted), holds);
        if (granted.every((permission) => holds.has(permission))) expect(hand).not.toThrow();
        else expect(hand).toThrow(denied);
      }),
    );
  });

  it('of operator and viewer leave out people and keys', () => {
    for (const name of ['operator', 'viewer'] as const) {
      for (const permission of ['users:read', 'users:write', 'keys:read', 'keys:write'] as const) {
        expect(ROLE_PERMISSIONS[name].has(permission)).toBe(false);
      }
    }
  });
});
