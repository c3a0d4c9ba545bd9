/** Adds users to the current tenant, within `max_users` even when many are added at once. */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { isUniqueViolation, TenantDatabase } from '#libs/database';
import { newId } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import type { EntityManager } from 'typeorm';
import { refuseBeyondCaller } from '../access/grants';
import { ROLE_PERMISSIONS, type Role } from '../access/permissions';
import { emailTaken } from '../identity.error';
import { PasswordService } from '../passwords/password.service';
import type { User } from './user.entity';
import { type NewUserRow, UserRepository } from './user.repository';

export interface NewUser {
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly password: string;
}

/** A new user whose password is hashed: that is slow, and belongs before a transaction. */
export type PreparedUser = NewUserRow;

@Injectable()
export class UserCreation {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenant: TenantContextHolder,
    private readonly repository: UserRepository,
    private readonly passwords: PasswordService,
    private readonly audit: AuditService,
  ) {}

  /** Throws what `add` throws. */
  async create(user: NewUser): Promise<User> {
    return this.add(await this.prepare(user));
  }

  async prepare({ password, email, name, role }: NewUser): Promise<PreparedUser> {
    return { id: newId(), email: email.toLowerCase(), name, role, passwordHash: await this.passwords.hash(password) };
  }

  /** Throws `permission_denied`, `limit_exceeded` (403) or `email_taken` (409). */
  add(prepared: PreparedUser): Promise<User> {
    refuseBeyondCaller(ROLE_PERMISSIONS[prepared.role], this.tenant.current().permissions);
    return this.insert(prepared, (manager) => this.repository.requireRoom(manager));
  }

  /** Adds the first user of an organization that is being made and that the directory does not know yet. */
  createFirst(prepared: PreparedUser): Promise<User> {
    return this.insert(prepared, () => Promise.resolve());
  }

  private async insert(row: PreparedUser, admit: (manager: EntityManager) => Promise<void>): Promise<User> {
    try {
      return await this.database.write(async (manager) => {
        await this.repository.lockMembership(manager);
        await admit(manager);
        const user = await this.repository.insert(manager, row);
        const data = { email: user.email, role: user.role };
        await this.audit.append(manager, { action: 'user.created', targetType: 'user', targetId: user.id, data });
        return user;
      });
    } catch (error) {
      if (isUniqueViolation(error, 'users_organization_id_email_key')) throw emailTaken();
      throw error;
    }
  }
}
