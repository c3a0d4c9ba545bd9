/**
 * IdempotentFlight: one database flight that claims an Idempotency-Key, does the work and stores the answer.
 *
 * States of a key, as other requests see them: free → (claimed: a transaction-level advisory lock) → stored, or free
 * again when the work was refused: a refusal leaves nothing behind, so the same key may be tried again. Claimed → 409
 * `idempotency_key_in_use`; stored → the answer again, or 422 `idempotency_key_reused` for another request.
 */
import { Injectable } from '@nestjs/common';
import { ALREADY_DONE, type Statement, TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import { requestFingerprint } from './request-fingerprint';

export interface IdempotentRequest {
  readonly key: string;
  /** Name of the operation with what identifies its target: `order.create`, `order.fulfil:{id}`. */
  readonly operation: string;
  readonly body: unknown;
}

/** The answer to a request under an Idempotency-Key. */
export class IdempotentReply<Body = unknown> {
  constructor(
    readonly status: number,
    readonly body: Body,
    readonly replayed: boolean,
  ) {}
}

interface Work {
  /** Statements that do the work, in order. */
  readonly statements: readonly Statement[];
  readonly status: number;
  /** From recordStatement: renders the answer and stores it. */
  readonly record: (request: RecordedRequest) => Statement;
  /**
   * Statements after the record that take locks others wait for. The answer may not depend on them; standing last they
   * hold their locks for their own time and the commit only.
   */
  readonly last?: readonly Statement[];
}

export interface RecordedRequest {
  readonly key: string;
  readonly fingerprint: string;
  readonly status: number;
}

const LIFE = "interval '24 hours'";

const claim = tenantStatement('idempotency_claim', 'select claim_idempotency_key($1::uuid, $2, $3)');
const stored = tenantRead(
  'idempotency_stored',
  'select status, body from idempotency_keys where organization_id = $1 and key = $2',
  'primary',
);

/**
 * A statement that stores the JSON which `bodySql` selects (one row, column `body`; its values begin at $5) as the
 * answer under the key, and returns it.
 */
export function recordStatement(name: string, bodySql: string) {
  const build = tenantStatement(
    name,
    `with rendered as (${bodySql})
     insert into idempotency_keys (organization_id, key, fingerprint, status, body, expires_at)
     select $1, $2, $3, $4::integer, rendered.body, now() + ${LIFE} from rendered returning body`,
  );
  return (...values: readonly unknown[]) =>
    (request: RecordedRequest): Statement =>
      build(request.key, request.fingerprint, request.status, ...values);
}

@Injectable()
export class IdempotentFlight {
  constructor(private readonly database: TenantDatabase) {}

  async run<Body>(request: IdempotentRequest, work: Work): Promise<IdempotentReply<Body>> {
    const fingerprint = requestFingerprint(request.operation, request.body);
    try {
      const results = await this.database.batch([
        claim(request.key, fingerprint),
        ...work.statements,
        work.record({ key: request.key, fingerprint, status: work.status }),
        ...(work.last ?? []),
      ]);
      const [row] = results[1 + work.statements.length]!.rows as { body: Body }[];
      return new IdempotentReply(work.status, row!.body, false);
    } catch (error) {
      if (error instanceof StockyardError && error.code === ALREADY_DONE) return this.replay<Body>(request.key);
      throw error;
    }
  }

  private async replay<Body>(key: string): Promise<IdempotentReply<Body>> {
    const [row] = await this.database.statement<{ status: number; body: Body }>(stored(key));
    if (row) return new IdempotentReply(row.status, row.body, true);
    throw new StockyardError({
      code: 'idempotency_key_in_use',
      category: 'conflict',
      param: 'Idempotency-Key',
      message: 'The record of this Idempotency-Key expired just now; retry.',
    });
  }
}
