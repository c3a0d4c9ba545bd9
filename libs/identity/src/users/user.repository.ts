/** The SQL of `users`. Every change of who is a member, or with which role, happens under the membership lock. */
import { Injectable } from '@nestjs/common';
import { TenantDatabase, tenantRead } from '#libs/database';
import { TenantContextHolder } from '#libs/tenancy';
import { type EntityManager, MoreThan, Not } from 'typeorm';
import { User } from './user.entity';

/** What a login needs of a user. */
export type UserCredential = Pick<User, 'id' | 'role' | 'state' | 'passwordHash'>;

export type NewUserRow = Pick<User, 'id' | 'email' | 'name' | 'role' | 'passwordHash'>;
export type UserChange = Partial<Pick<User, 'name' | 'role' | 'state' | 'passwordHash'>>;

const credential = tenantRead(
  'user_credential',
  `select id, role, state, password_hash as "passwordHash" from users where organization_id = $1 and email = $2`,
  'primary',
);

@Injectable()
export class UserRepository {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenant: TenantContextHolder,
  ) {}

  private get organizationId(): string {
    return this.tenant.current().organizationId;
  }

  async credential(email: string): Promise<UserCredential | undefined> {
    const [row] = await this.database.statement<UserCredential>(credential(email));
    return row;
  }

  /** Up to `count` users after the user `after`, oldest first. */
  page(after: string | null, count: number): Promise<User[]> {
    const { organizationId } = this;
    const where = after === null ? { organizationId } : { organizationId, id: MoreThan(after) };
    return this.database.read((manager) =>
      manager.getRepository(User).find({ where, order: { id: 'ASC' }, take: count }),
    );
  }

  find(id: string): Promise<User | null> {
    const { organizationId } = this;
    return this.database.read((manager) => manager.getRepository(User).findOneBy({ organizationId, id }));
  }

  /** Serializes changes of an organization's members until the transaction ends. */
  async lockMembership(manager: EntityManager): Promise<void> {
    await manager.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`members:${this.organizationId}`]);
  }

  /** The user, locked until the transaction ends. Sessions of a user are opened and ended under this lock only. */
  lock(manager: EntityManager, id: string): Promise<User | null> {
    return manager
      .getRepository(User)
      .createQueryBuilder('u')
      .addSelect('u.passwordHash')
      .setLock('for_no_key_update')
      .where({ organizationId: this.organizationId, id })
      .getOne();
  }

  /** Throws `limit_exceeded` (403) when one more user would be beyond `max_users`. Under the membership lock. */
  async requireRoom(manager: EntityManager): Promise<void> {
    const users = '(select count(*) from users where organization_id = $1)';
    await manager.query(`select require_tenant_limit($1, 'max_users', ${users} + 1)`, [this.organizationId]);
  }

  /** Active owners besides one user. */
  countOtherOwners(manager: EntityManager, id: string): Promise<number> {
    const { organizationId } = this;
    return manager.getRepository(User).countBy({ organizationId, id: Not(id), role: 'owner', state: 'active' });
  }

  async insert(manager: EntityManager, row: NewUserRow): Promise<User> {
    const { organizationId } = this;
    await manager.getRepository(User).insert({ organizationId, ...row });
    return manager.getRepository(User).findOneByOrFail({ organizationId, id: row.id });
  }

  async update(manager: EntityManager, id: string, change: UserChange): Promise<User> {
    const { organizationId } = this;
    const risen = { version: () => 'version + 1', updatedAt: () => 'now()' };
    await manager.getRepository(User).update({ organizationId, id }, { ...change, ...risen });
    return manager.getRepository(User).findOneByOrFail({ organizationId, id });
  }

  async delete(manager: EntityManager, id: string): Promise<void> {
    await manager.getRepository(User).delete({ organizationId: this.organizationId, id });
  }
}
