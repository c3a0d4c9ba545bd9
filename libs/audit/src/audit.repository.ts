/** The SQL of `audit_log`: append and read. The app role has no grant to change or delete a row. */
import { Injectable } from '@nestjs/common';
import { type Statement, TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import type { EntityManager } from 'typeorm';

/** Facts of an entry: flat, and never a secret. */
export type AuditData = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** A row of the audit log. */
export interface AuditRecord {
  readonly id: string;
  readonly actorType: string;
  readonly actorId: string | null;
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string | null;
  readonly data: AuditData | null;
  readonly requestId: string | null;
  readonly recordedAt: Date;
}

export type NewAuditRecord = Omit<AuditRecord, 'recordedAt'>;

const INSERT = `
  insert into audit_log (organization_id, id, actor_type, actor_id, action, target_type, target_id, data, request_id)
  values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9)`;

const insert = tenantStatement('audit_insert', INSERT);

// The id is a UUIDv7 and the key of the partitions: newest first is the index read backwards.
const page = tenantRead(
  'audit_page',
  `select id, actor_type as "actorType", actor_id as "actorId", action, target_type as "targetType",
     target_id as "targetId", data, request_id as "requestId", recorded_at as "recordedAt"
   from audit_log where organization_id = $1 and ($2::uuid is null or id < $2::uuid)
   order by id desc limit $3`,
);

function values(record: NewAuditRecord): unknown[] {
  const { id, actorType, actorId, action, targetType, targetId, data, requestId } = record;
  return [id, actorType, actorId, action, targetType, targetId, data === null ? null : JSON.stringify(data), requestId];
}

@Injectable()
export class AuditRepository {
  constructor(private readonly database: TenantDatabase) {}

  insertStatement(record: NewAuditRecord): Statement {
    return insert(...values(record));
  }

  async insertIn(manager: EntityManager, organizationId: string, record: NewAuditRecord): Promise<void> {
    await manager.query(INSERT, [organizationId, ...values(record)]);
  }

  async insert(record: NewAuditRecord): Promise<void> {
    await this.database.statement(this.insertStatement(record));
  }

  /** Up to `count` rows older than `before`, newest first. */
  page(before: string | null, count: number): Promise<AuditRecord[]> {
    return this.database.statement<AuditRecord>(page(before, count));
  }
}
