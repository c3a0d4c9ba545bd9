/**
 * The users of the current tenant. An organization that has an active owner keeps one; nobody manages, or gives, a
 * role that holds more than they do; a new password, disabling and deleting end the user's sessions. A change of
 * role or state reaches access tokens that are out already when they expire.
 */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { TenantDatabase } from '#libs/database';
import { decodeCursor, isUuid } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import type { EntityManager } from 'typeorm';
import { refuseBeyondCaller } from '../access/grants';
import { ROLE_PERMISSIONS, type Role } from '../access/permissions';
import { lastOwner, notFound, versionMismatch } from '../identity.error';
import { PasswordService } from '../passwords/password.service';
import { RefreshTokenRepository } from '../sessions/refresh-token.repository';
import type { User, UserState } from './user.entity';
import { UserRepository } from './user.repository';

export interface UserPatch {
  readonly name?: string | undefined;
  readonly role?: Role | undefined;
  readonly state?: UserState | undefined;
  readonly password?: string | undefined;
}

export interface UserUpdate {
  readonly id: string;
  readonly patch: UserPatch;
  /** The version that the caller has read; undefined overwrites whatever is there. */
  readonly expectedVersion: number | undefined;
}

const isActiveOwner = ({ role, state }: Pick<User, 'role' | 'state'>): boolean =>
  role === 'owner' && state === 'active';

@Injectable()
export class UserService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenant: TenantContextHolder,
    private readonly users: UserRepository,
    private readonly sessions: RefreshTokenRepository,
    private readonly passwords: PasswordService,
    private readonly audit: AuditService,
  ) {}

  /** A page of users, oldest first, and one more where there are more. */
  list({ cursor, limit }: { readonly cursor?: string; readonly limit: number }): Promise<User[]> {
    const after = cursor === undefined ? null : decodeCursor(cursor, [isUuid])[0]!;
    return this.users.page(after, limit + 1);
  }

  async get(id: string): Promise<User> {
    const user = await this.users.find(id);
    if (!user) throw notFound('user');
    return user;
  }

  /** Throws `not_found`, `version_mismatch`, `permission_denied` or `last_owner`; nothing is changed then. */
  async update({ id, patch, expectedVersion }: UserUpdate): Promise<User> {
    const { password, name, role, state } = patch;
    const passwordHash = password === undefined ? undefined : await this.passwords.hash(password);
    return this.database.write(async (manager) => {
      const user = await this.lockForChange(manager, id, expectedVersion);
      const next = { name: name ?? user.name, role: role ?? user.role, state: state ?? user.state };
      this.refuseBeyondCaller(next.role);
      await this.keepAnOwner(manager, user, next);
      const updated = await this.users.update(manager, id, passwordHash ? { ...next, passwordHash } : next);
      if (passwordHash || next.state === 'disabled') await this.sessions.revokeUser(manager, id);
      const data = { fields: Object.keys(patch), role: next.role, state: next.state };
      await this.audit.append(manager, { action: 'user.updated', targetType: 'user', targetId: id, data });
      return updated;
    });
  }

  /** Deletes a user with all sessions. API keys that the user made stay: they belong to the organization. */
  async remove(id: string, expectedVersion: number | undefined): Promise<void> {
    await this.database.write(async (manager) => {
      const user = await this.lockForChange(manager, id, expectedVersion);
      await this.keepAnOwner(manager, user, { role: user.role, state: 'disabled' });
      await this.users.delete(manager, id);
      const data = { email: user.email, role: user.role };
      await this.audit.append(manager, { action: 'user.deleted', targetType: 'user', targetId: id, data });
    });
  }

  private async lockForChange(manager: EntityManager, id: string, expectedVersion: number | undefined): Promise<User> {
    await this.users.lockMembership(manager);
    const user = await this.users.lock(manager, id);
    if (!user) throw notFound('user');
    if (expectedVersion !== undefined && expectedVersion !== user.version) throw versionMismatch(user.version);
    this.refuseBeyondCaller(user.role);
    return user;
  }

  private refuseBeyondCaller(role: Role): void {
    refuseBeyondCaller(ROLE_PERMISSIONS[role], this.tenant.current().permissions);
  }

  /** Under the membership lock the count cannot change before the transaction ends. */
  private async keepAnOwner(manager: EntityManager, before: User, after: Pick<User, 'role' | 'state'>): Promise<void> {
    if (!isActiveOwner(before) || isActiveOwner(after)) return;
    if ((await this.users.countOtherOwners(manager, before.id)) === 0) throw lastOwner();
  }
}
