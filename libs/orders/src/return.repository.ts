/** SQL that reads returns, and the flight that makes one. */
import { Injectable } from '@nestjs/common';
import { notFound, rfc3339, type Statement, TenantDatabase, tenantRead } from '#libs/database';
import { IdempotentFlight, type IdempotentReply, type IdempotentRequest, recordStatement } from '#libs/idempotency';
import { outboxStatement } from '#libs/queues';
import type { Return, ReturnSummary } from './return.schema';

const SUMMARY = `'id', r.id, 'order_id', r.order_id, 'reference', r.reference, 'reason', r.reason, 'currency', r.currency,
  'total_minor', r.total_minor, 'occurred_at', ${rfc3339('r.occurred_at')}, 'created_at', ${rfc3339('r.created_at')}`;

const body = (id: string): string => `
  select json_build_object(${SUMMARY}, 'lines', (
    select json_agg(json_build_object('id', l.id, 'line_number', l.line_number, 'kind', l.kind, 'order_line_id', l.order_line_id,
      'product_id', l.product_id, 'location_id', l.location_id, 'sku', l.sku, 'description', l.description, 'quantity', l.quantity,
      'unit_price_minor', l.unit_price_minor, 'amount_minor', l.amount_minor, 'disposition', l.disposition) order by l.line_number)
    from return_lines l where l.organization_id = $1 and l.return_id = r.id)) as body
  from returns r where r.organization_id = $1 and r.id = ${id}`;

const select = tenantRead('return_select', body('$2::uuid'));
const record = recordStatement('return_record', body('$5::uuid'));
const list = tenantRead(
  'return_list',
  `select json_build_object(${SUMMARY}) as body from returns r
   where r.organization_id = $1 and r.id > $2::uuid and ($4::uuid is null or r.order_id = $4) order by r.id limit $3`,
);

@Injectable()
export class ReturnRepository {
  constructor(
    private readonly database: TenantDatabase,
    private readonly flight: IdempotentFlight,
  ) {}

  create(request: IdempotentRequest, id: string, statements: readonly Statement[]): Promise<IdempotentReply<Return>> {
    return this.flight.run<Return>(request, {
      status: 201,
      statements: [
        ...statements,
        outboxStatement([
          { topic: 'return.received', aggregateType: 'return', aggregateId: id, payload: { return_id: id } },
        ]),
      ],
      record: record(id),
    });
  }

  async get(id: string): Promise<Return> {
    const [row] = await this.database.statement<{ body: Return }>(select(id));
    if (!row) throw notFound();
    return row.body;
  }

  /** Up to limit + 1 returns, oldest first. */
  async list(after: string, limit: number, orderId: string | null): Promise<ReturnSummary[]> {
    const rows = await this.database.statement<{ body: ReturnSummary }>(list(after, limit + 1, orderId));
    return rows.map((row) => row.body);
  }
}
