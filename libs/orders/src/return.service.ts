/** Returns: rules that need no database, then one flight. */
import { Injectable } from '@nestjs/common';
import { addMinor, decodeCursor, isUuid, multiplyMinor, newId, type ShapeType, StockyardError } from '#libs/kernel';
import type { IdempotentReply } from '#libs/idempotency';
import { TenantContextHolder } from '#libs/tenancy';
import { ReturnRepository } from './return.repository';
import type { CreateReturn, Return, RETURN_QUERY, ReturnSummary } from './return.schema';
import { returnCreateStatements } from './return.statements';

const FIRST = '00000000-0000-0000-0000-000000000000';

function checkLines({ lines, order_id }: CreateReturn): void {
  lines.forEach((line, index) => {
    if (line.kind !== 'goods') return;
    const ways = [line.order_line_id, line.sku, line.product_id].filter((way) => way !== undefined).length;
    if (ways === 1 && (line.order_line_id === undefined) === (order_id === undefined)) return;
    throw new StockyardError({
      code: 'invalid_value',
      category: 'invalid',
      param: `lines[${index}]`,
      message: 'With order_id name what comes back by order_line_id; without, by sku or product_id, one of them.',
    });
  });
  lines.reduce(
    (sum, line) => addMinor(sum, Math.abs(multiplyMinor(line.unit_price_minor ?? 0, line.quantity ?? 1))),
    0,
  );
}

@Injectable()
export class ReturnService {
  constructor(
    private readonly returns: ReturnRepository,
    private readonly tenant: TenantContextHolder,
  ) {}

  create(key: string, body: CreateReturn): Promise<IdempotentReply<Return>> {
    checkLines(body);
    const id = newId();
    const origin = {
      actor: this.tenant.current().actor,
      reason: body.reason,
      occurredAt: body.occurred_at === undefined ? new Date() : new Date(body.occurred_at),
      reference: { type: 'return', id },
    };
    const statements = returnCreateStatements({ id, body, origin });
    return this.returns.create({ key, operation: 'return.create', body }, id, statements);
  }

  get(id: string): Promise<Return> {
    return this.returns.get(id);
  }

  list(query: ShapeType<typeof RETURN_QUERY>): Promise<ReturnSummary[]> {
    const [after] = query.cursor === undefined ? [FIRST] : decodeCursor(query.cursor, [isUuid]);
    return this.returns.list(after!, query.limit, query.order_id ?? null);
  }
}
