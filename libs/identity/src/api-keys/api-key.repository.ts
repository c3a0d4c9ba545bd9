/** The SQL of `api_keys`. Look-up, insertion and upkeep travel as single statements; lists use the entity. */
import { Injectable } from '@nestjs/common';
import { type Statement, TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import { TenantContextHolder } from '#libs/tenancy';
import { type EntityManager, IsNull, MoreThan } from 'typeorm';
import type { Role } from '../access/permissions';
import { ApiKey } from './api-key.entity';

/** What verifying a key needs of its row. */
export interface ApiKeyCredential {
  readonly secretHash: Buffer;
  readonly role: Role;
  readonly scopes: readonly string[] | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export type NewApiKey = Pick<
  ApiKey,
  'id' | 'name' | 'secretHash' | 'hint' | 'role' | 'scopes' | 'expiresAt' | 'createdBy' | 'createdAt'
>;

const credential = tenantRead(
  'api_key_credential',
  `select secret_hash as "secretHash", role, scopes, expires_at as "expiresAt", revoked_at as "revokedAt"
   from api_keys where organization_id = $1 and id = $2`,
  'primary',
);

const insert = tenantStatement(
  'api_key_insert',
  `insert into api_keys (organization_id, id, name, secret_hash, hint, role, scopes, expires_at, created_by, created_at)
   values ($1, $2, $3, $4, $5, $6, $7::text[], $8, $9, $10)`,
);

// The condition holds between processes what each keeps for itself: one write a key and minute.
const touch = tenantStatement(
  'api_key_touch',
  `update api_keys set last_used_at = now() where organization_id = $1 and id = any ($2::uuid[])
     and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
);

@Injectable()
export class ApiKeyRepository {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenant: TenantContextHolder,
  ) {}

  async credential(id: string): Promise<ApiKeyCredential | undefined> {
    const [row] = await this.database.statement<ApiKeyCredential>(credential(id));
    return row;
  }

  insertStatement(key: NewApiKey): Statement {
    const { id, name, secretHash, hint, role, scopes, expiresAt, createdBy, createdAt } = key;
    return insert(id, name, secretHash, hint, role, scopes, expiresAt, createdBy, createdAt);
  }

  /** Notes that keys were used just now. */
  async touch(ids: readonly string[]): Promise<void> {
    await this.database.statement(touch(ids));
  }

  /** Up to `count` keys after the key `after`, oldest first. */
  page(after: string | null, count: number): Promise<ApiKey[]> {
    const { organizationId } = this.tenant.current();
    const where = after === null ? { organizationId } : { organizationId, id: MoreThan(after) };
    return this.database.read((manager) =>
      manager.getRepository(ApiKey).find({ where, order: { id: 'ASC' }, take: count }),
    );
  }

  find(id: string): Promise<ApiKey | null> {
    return this.database.read((manager) => this.findIn(manager, id));
  }

  findIn(manager: EntityManager, id: string): Promise<ApiKey | null> {
    return manager.getRepository(ApiKey).findOneBy({ organizationId: this.tenant.current().organizationId, id });
  }

  /** Whether this call revoked the key; false where it is unknown or was revoked before. */
  async revokeIn(manager: EntityManager, id: string): Promise<boolean> {
    const { organizationId } = this.tenant.current();
    const result = await manager
      .getRepository(ApiKey)
      .update({ organizationId, id, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
    return result.affected === 1;
  }
}
