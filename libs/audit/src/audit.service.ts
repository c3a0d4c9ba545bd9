/**
 * The audit log of the current tenant. Actor and request come from the tenant context, so a caller cannot name
 * another. An entry belongs into the transaction of what it tells: `statement` for a batch, `append` for an
 * interactive transaction; `record` stands alone, for what changes no row (a refused login).
 */
import { Injectable } from '@nestjs/common';
import { decodeCursor, isUuid, newId, StockyardError } from '#libs/kernel';
import type { Statement } from '#libs/database';
import { TenantContextHolder } from '#libs/tenancy';
import type { EntityManager } from 'typeorm';
import { type AuditData, type AuditRecord, AuditRepository, type NewAuditRecord } from './audit.repository';

export interface AuditEntry {
  /** What happened, as `thing.verb`: `api_key.created`. */
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string | null;
  /** Facts that explain the entry. A field that is named like a secret is refused. */
  readonly data?: AuditData;
}

const SECRET_NAME = /password|secret|token|hash|authorization/i;

function refuseSecrets(data: AuditData): void {
  const named = Object.keys(data).find((name) => SECRET_NAME.test(name));
  if (named === undefined) return;
  throw new StockyardError({
    code: 'audit_data_unsafe',
    category: 'internal',
    message: `An audit entry may not carry "${named}"; say that it changed, not what it is.`,
  });
}

@Injectable()
export class AuditService {
  constructor(
    private readonly repository: AuditRepository,
    private readonly tenant: TenantContextHolder,
  ) {}

  /** Writes an entry in a transaction of its own. */
  record(entry: AuditEntry): Promise<void> {
    return this.repository.insert(this.complete(entry));
  }

  /** The entry as a statement of a batch. */
  statement(entry: AuditEntry): Statement {
    return this.repository.insertStatement(this.complete(entry));
  }

  /** The entry inside an interactive transaction. */
  append(manager: EntityManager, entry: AuditEntry): Promise<void> {
    return this.repository.insertIn(manager, this.tenant.current().organizationId, this.complete(entry));
  }

  /** A page of entries, newest first, and one more where there are more. */
  list({ cursor, limit }: { readonly cursor?: string; readonly limit: number }): Promise<AuditRecord[]> {
    const before = cursor === undefined ? null : decodeCursor(cursor, [isUuid])[0]!;
    return this.repository.page(before, limit + 1);
  }

  private complete(entry: AuditEntry): NewAuditRecord {
    if (entry.data) refuseSecrets(entry.data);
    const { actor, requestId } = this.tenant.current();
    return {
      id: newId(),
      actorType: actor.type,
      actorId: actor.id,
      action: entry.action,
      targetType: entry.targetType,
      targetId: entry.targetId,
      data: entry.data ?? null,
      requestId,
    };
  }
}
